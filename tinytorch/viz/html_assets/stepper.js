// The stepper: the backward pass, one op at a time. A step's state is computed from the beginning each time, which is
// quick and cannot go wrong when one steps back.
class Stepper {
  constructor(onStep) {
    this.onStep = onStep;
    this.at = -1; // -1: not stepping
    this.timer = null;
  }

  get running() { return this.at >= 0; }
  get step() { return data.steps[this.at]; }

  go(place) {
    this.at = Math.min(Math.max(place, 0), data.steps.length - 1);
    if (this.at === data.steps.length - 1) this.pause();
    this.onStep();
  }

  stop() {
    this.pause();
    this.at = -1;
    this.onStep();
  }

  play() {
    if (this.timer) return this.pause();
    this.timer = setInterval(() => this.go(this.at + 1), 1100);
    return this.go(this.at === data.steps.length - 1 ? 0 : this.at + 1);
  }

  pause() {
    clearInterval(this.timer);
    this.timer = null;
  }

  // The contributions that have arrived at every node up to and including this step, as lists of numbers; empty lists
  // where they are not known.
  arrived() {
    const parts = new Map();
    for (const step of data.steps.slice(0, this.at + 1)) {
      for (const {to, values} of step.gives) parts.set(to, [...(parts.get(to) || []), values.map(Number)]);
    }
    return parts;
  }

  // `inside` is a button that opens the module in which the op is, if it is not seen itself
  draw(section, inside) {
    section.hidden = !this.running;
    if (!this.running) return;
    const {step} = this;
    const parts = this.arrived();
    const inputs = step.gives.length ? step.gives.map((give) => this.contribution(give, parts.get(give.to)))
      : [el("p", {className: "quiet"}, "No input takes a gradient.")];
    const source = data.sources[step.op];
    section.replaceChildren(
      this.buttons(),
      el("h2", {}, data.nodes[step.node].title),
      inside || "",
      el("p", {className: "formula"}, step.call),
      el("p", {}, "g = ∂L/∂y", el("span", {className: "quiet"}, `  ${step.shape}`), ": ",
        step.gradient || (step.starts ? "the backward pass starts here" : "not measured")),
      step.backward ? el("p", {className: "quiet"}, step.backward) : "",
      ...inputs,
      ...(source ? [el("h3", {}, "The code that runs"), el("pre", {}, source)] : []),
    );
  }

  buttons() {
    const button = (text, title, place, disabled) =>
      el("button", {title, disabled, ariaLabel: title, onclick: () => this.go(place)}, text);
    const last = data.steps.length - 1;
    return el("div", {className: "buttons"},
      button("«", "First step", 0, this.at === 0),
      button("◀", "Previous step (p)", this.at - 1, this.at === 0),
      button("▶", "Next step (n)", this.at + 1, this.at === last),
      el("button", {onclick: () => this.play(), title: "Play or pause"}, this.timer ? "Pause" : "Play"),
      el("button", {onclick: () => this.stop(), title: "End (b)", ariaLabel: "End"}, "✕"),
      el("span", {}, `step ${this.at + 1} of ${data.steps.length}`));
  }

  // One input: the formula, what this op adds, and the sum so far where several gradients meet.
  contribution(give, parts) {
    const measured = give.values.length ? numbersText(give.values.map(Number), give.shape)
      : give.norm !== null ? `|∇| ${give.norm}` : "";
    const lines = [
      el("div", {}, "to ", el("b", {}, give.name),
        el("span", {className: "quiet"}, `  ${give.shape.join("×") || "scalar"}`)),
      el("div", {className: "formula"}, give.formula),
      measured ? el("div", {}, `adds ${measured}`) : null,
    ];
    if (give.count > 1) {
      const known = parts.slice(0, give.number);
      const total = known.every((part) => part.length) ? `: ${sumText(known, give.shape)}` : "";
      lines.push(el("div", {className: "sum"}, `${give.number} of ${give.count} gradients have met, `
        + (give.number === give.count ? "the sum is complete" : "sum so far") + total));
    }
    return el("div", {className: "give"}, ...lines);
  }
}

// The sum of some contributions; with the summands, if they are few and scalars: "1.5 + (-2) = -0.5".
function sumText(parts, shape) {
  const sum = parts.reduce((before, part) => before.map((value, i) => value + part[i]));
  const total = numbersText(sum, shape);
  if (shape.length || parts.length < 2 || parts.length > 6) return total;
  const one = (part) => (part[0] < 0 ? `(${numbersText(part, shape)})` : numbersText(part, shape));
  return `${parts.map(one).join(" + ")} = ${total}`;
}

// Few numbers in the shape of their tensor: [[1.5, -2], [0, 0.3333]].
function numbersText(numbers, shape) {
  const one = (value) => (Number.isFinite(value) ? String(Number(value.toPrecision(5))) : String(value));
  if (!shape.length) return one(numbers[0]);
  const [count, ...inner] = shape;
  const size = numbers.length / count;
  return `[${Array.from({length: count}, (_, i) => numbersText(numbers.slice(i * size, (i + 1) * size), inner)).join(", ")}]`;
}
