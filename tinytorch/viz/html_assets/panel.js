// The panel at the side: what is known of a node, or how to use the page.
const KEYS = [
  ["↑ ↓", "along the edges"], ["← →", "to a neighbour"], ["Enter", "open a module"],
  ["Esc", "let go, or back"], ["/", "search"], ["f", "fit"], ["+ −", "zoom"], ["a", "everything open"],
  ["b", "backward, step by step"], ["n p", "next and previous step"], ["t", "light or dark"], ["?", "these keys"],
];

function table(rows) {
  const list = el("dl");
  for (const [what, text] of rows) list.append(el("dt", {}, what), el("dd", {}, text));
  return list;
}

// what the panel says when nothing is chosen
function welcome() {
  const keys = el("dl");
  for (const [key, what] of KEYS) {
    const symbols = key.split(" ").flatMap((symbol) => [el("kbd", {}, symbol), " "]);
    keys.append(el("dt", {}, ...symbols), el("dd", {}, what));
  }
  return [
    el("h2", {}, data.title || "Graph"),
    ...data.remarks.map((remark) => el("p", {className: "quiet"}, remark)),
    el("p", {}, "Point at a box to see what it depends on. Click a module to open it, an op to keep it here."),
    el("h3", {}, "Keys"), keys,
  ];
}

// what is known of a node; `reach` counts its ancestors and descendants, `go` shows another node
function describe(id, picture, reach, go) {
  const node = data.nodes[id];
  if (!node) return [el("h2", {}, id)];
  const links = (title, ids) => {
    const known = [...new Set(ids || [])].filter((other) => data.nodes[other]);
    if (!known.length) return [];
    const buttons = known.slice(0, 30).map((other) => el("button", {onclick: () => go(other)}, nameOf(other)));
    return [el("h3", {}, title), el("div", {className: "links"}, ...buttons)];
  };
  return [
    el("h2", {}, node.title),
    ...node.notes.map((note) => el("p", {className: "note"}, "⚠ " + note)),
    picture.outside.has(id) ? el("p", {className: "quiet"}, "Outside this module; click to go there.") : null,
    node.opens && id !== picture.id ? el("p", {className: "quiet"}, "Click or press Enter to open it.") : null,
    table(node.rows),
    reach && el("p", {}, el("span", {className: "up"}, `— made of ${reach.up}`), ", ",
      el("span", {className: "down"}, `‑ ‑ used by ${reach.down}`), " boxes in this picture"),
    ...links("Inputs", picture.inputs.get(id)),
    ...links("Used by", picture.users.get(id)),
  ].filter((part) => part !== null && part !== undefined);
}
