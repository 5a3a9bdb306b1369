// Search: every word must occur somewhere in what is known of a node. Names count most, then titles, then the rest.
const texts = Object.entries(data.nodes).map(([id, node]) => ({
  id,
  name: node.name.toLowerCase(),
  title: node.title.toLowerCase(),
  all: [node.title, node.kind, ...node.rows.flat(), ...node.notes].join(" ").toLowerCase(),
}));

function search(query, limit = 40) {
  const words = query.toLowerCase().split(/\s+/).filter(Boolean);
  if (!words.length) return [];
  const rank = ({name, title}) =>
    name === words.join(" ") ? 0 : name.startsWith(words[0]) ? 1 : title.includes(words[0]) ? 2 : 3;
  return texts
    .filter(({all}) => words.every((word) => all.includes(word)))
    .map((text) => ({id: text.id, rank: rank(text)}))
    .sort((a, b) => a.rank - b.rank) // stable: among equals, the order of the program
    .slice(0, limit)
    .map(({id}) => id);
}

// The field and its list; `go` shows what was chosen.
function startSearch(go) {
  const [field, list] = [byId("query"), byId("found")];
  let chosen = 0;
  const items = () => [...list.querySelectorAll("[data-id]")];
  const close = () => { list.hidden = true; };
  const choose = (place) => {
    const all = items();
    chosen = all.length ? (place + all.length) % all.length : 0;
    all.forEach((item, i) => item.setAttribute("aria-selected", i === chosen));
    if (all[chosen]) all[chosen].scrollIntoView({block: "nearest"});
  };
  const take = (id) => { close(); field.blur(); go(id); };
  const show = () => {
    const found = search(field.value);
    list.replaceChildren(...found.map((id) => {
      const {title, kind, home} = data.nodes[id];
      const item = el("li", {role: "option", onmousedown: (event) => { event.preventDefault(); take(id); }},
        title, el("small", {}, `${kind} in ${data.views[home].title}`));
      item.dataset.id = id;
      return item;
    }));
    if (!found.length) list.append(el("li", {}, "nothing found"));
    list.hidden = !field.value.trim();
    choose(0);
  };
  field.addEventListener("input", show);
  field.addEventListener("focus", () => { field.select(); show(); });
  field.addEventListener("blur", close);
  field.addEventListener("keydown", (event) => {
    event.stopPropagation(); // letters typed here are no commands
    if (event.key === "ArrowDown") choose(chosen + 1);
    else if (event.key === "ArrowUp") choose(chosen - 1);
    else if (event.key === "Enter" && items()[chosen]) take(items()[chosen].dataset.id);
    else if (event.key === "Escape") { field.value = ""; field.blur(); byId("stage").focus(); }
    else return;
    event.preventDefault();
  });
}
