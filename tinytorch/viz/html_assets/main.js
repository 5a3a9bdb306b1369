// The page as a whole: which picture is shown, what is chosen in it, and what mouse and keys do.
const stage = byId("stage");
const camera = new Camera(stage);
const cameras = new Map(); // where one looked in each view before
let picture = null;
let chosen = null; // the box that is kept in the panel
const stepper = new Stepper(showStep);

// ------------------------------------------------------------------------------------ going from view to view

function show(view) {
  if (picture) cameras.set(picture.id, {...camera.box});
  picture = new Picture(view);
  stage.replaceChildren(picture.svg);
  camera.look(picture.svg);
  const before = cameras.get(view);
  if (before) camera.set(stage.clientWidth / before.width, before.x + before.width / 2, before.y + before.height / 2);
  else camera.start();
  chosen = null;
  drawPath();
  byId("flat").setAttribute("aria-pressed", view === "flat");
  markStep();
  look(null);
}

function drawPath() {
  const crumbs = [];
  for (let view = picture.id; view; view = data.views[view].parent) crumbs.unshift(view);
  byId("path").replaceChildren(...crumbs.flatMap((view, i) => {
    const {title} = data.views[view];
    const last = i === crumbs.length - 1;
    const crumb = last ? el("span", {"aria-current": "page"}, title) : el("button", {onclick: () => show(view)}, title);
    return i ? [el("span", {}, "›"), crumb] : [crumb];
  }));
}

function back() {
  const {parent} = data.views[picture.id];
  if (!parent) return;
  const left = picture.id;
  show(parent);
  if (picture.boxes.has(left)) choose(left);
}

// Show a node wherever it is: in this picture, or in its own.
function goTo(id) {
  if (!picture.boxOf(id) || picture.boxOf(id) !== id) {
    if (data.nodes[id].home !== picture.id) show(data.nodes[id].home);
  }
  const box = picture.boxOf(id);
  if (box) choose(box);
}

// ------------------------------------------------------------------------------------ what is looked at

// light up a box and describe it; null describes what was chosen before
function look(id) {
  const seen = id || chosen;
  const reach = picture.light(seen);
  const nothing = stepper.running ? [] : welcome();
  byId("details").replaceChildren(...(seen ? describe(seen, picture, reach, goTo) : nothing));
}

function choose(id) {
  chosen = id;
  look(null);
  if (!id) return;
  const element = picture.boxes.get(id);
  camera.reveal(element);
  element.focus({preventScroll: true});
}

// what a click or Enter does to a box
function open(id) {
  if (picture.outside.has(id)) goTo(id);
  else if (data.nodes[id] && data.nodes[id].opens) show(id);
  else choose(id);
}

const boxAt = (event) => event.target.closest && event.target.closest(".node");

stage.addEventListener("pointerover", (event) => {
  const box = boxAt(event);
  if (box) look(box.dataset.id);
});
stage.addEventListener("pointerout", (event) => {
  const box = boxAt(event);
  if (box && !box.contains(event.relatedTarget)) look(null);
});
stage.addEventListener("click", (event) => {
  if (camera.moved) return;
  const box = boxAt(event);
  const heading = event.target.closest(".cluster.opens > text");
  if (box) open(box.dataset.id);
  else if (heading) show(heading.parentElement.dataset.id);
  else choose(null);
});

// ------------------------------------------------------------------------------------ backward, step by step

function showStep() {
  byId("step").setAttribute("aria-pressed", stepper.running);
  if (stepper.running && !picture.boxOf(stepper.step.node)) show(data.nodes[stepper.step.node].home);
  choose(null); // one light at a time
  markStep();
  const box = stepper.running && picture.boxOf(stepper.step.node);
  if (box) camera.reveal(picture.boxes.get(box));
}

function markStep() {
  stepper.draw(byId("stepper"), intoStep());
  if (!stepper.running) return picture.mark(null, new Set(), new Set());
  const boxes = (ids) => new Set(ids.map((id) => picture.boxOf(id)).filter(Boolean));
  const done = boxes(data.steps.slice(0, stepper.at).map(({node}) => node));
  const gets = boxes(stepper.step.gives.map(({to}) => to));
  return picture.mark(picture.boxOf(stepper.step.node), gets, done);
}

// a button that opens the module in which this step happens, if it is closed here
function intoStep() {
  if (!stepper.running) return null;
  const {node} = stepper.step;
  const {home} = data.nodes[node];
  if (picture.boxOf(node) === data.nodes[node].chain[0] || home === picture.id) return null;
  return el("p", {}, el("button", {id: "into", onclick: () => { show(home); showStep(); }},
    `Open ${data.views[home].title}`));
}

const toggleSteps = () => (stepper.running ? stepper.stop() : stepper.go(0));

// ------------------------------------------------------------------------------------ buttons and keys

function setTheme(theme) {
  document.documentElement.dataset.theme = theme;
}

const dark = window.matchMedia("(prefers-color-scheme: dark)");
setTheme(dark.matches ? "dark" : "light");
dark.addEventListener("change", (event) => setTheme(event.matches ? "dark" : "light"));

const toggleTheme = () => setTheme(document.documentElement.dataset.theme === "dark" ? "light" : "dark");
const toggleFlat = () => data.views.flat && show(picture.id === "flat" ? "first" : "flat");
const help = () => {
  choose(null);
  byId("details").replaceChildren(...welcome());
};

const actions = {
  flat: toggleFlat, fit: () => camera.fit(), in: () => camera.zoom(1.3), out: () => camera.zoom(1 / 1.3),
  step: toggleSteps, theme: toggleTheme, help,
};
for (const [id, action] of Object.entries(actions)) byId(id).addEventListener("click", action);
byId("flat").hidden = !data.views.flat;
byId("step").hidden = !data.steps.length;

const keys = {
  "/": () => byId("query").focus(), "f": actions.fit, "0": actions.fit, "+": actions.in, "=": actions.in,
  "-": actions.out, "a": toggleFlat, "b": () => data.steps.length && toggleSteps(), "t": toggleTheme, "?": help,
  "n": () => data.steps.length && stepper.go(stepper.at + 1), "p": () => stepper.running && stepper.go(stepper.at - 1),
  "Enter": () => chosen && open(chosen), "Backspace": back,
  "Escape": () => (stepper.running ? stepper.stop() : chosen ? choose(null) : back()),
};
for (const arrow of ["ArrowUp", "ArrowDown", "ArrowLeft", "ArrowRight"]) {
  keys[arrow] = () => {
    const next = picture.neighbour(chosen, arrow);
    if (next) choose(next);
  };
}

document.addEventListener("keydown", (event) => {
  const onButton = event.target.closest("button, input") && ["Enter", " "].includes(event.key);
  if (event.ctrlKey || event.metaKey || event.altKey || onButton || !Object.hasOwn(keys, event.key)) return;
  event.preventDefault();
  keys[event.key]();
});

startSearch(goTo);
show("first");
