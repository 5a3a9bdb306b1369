// Picture: the view that is shown now. It knows its boxes and edges, and lights up what a box depends on.
class Picture {
  constructor(id) {
    this.id = id;
    this.svg = byId(`view-${id}`).content.firstElementChild.cloneNode(true);
    this.boxes = new Map([...this.svg.querySelectorAll(".node")].map((box) => [box.dataset.id, box]));
    this.edges = [...this.svg.querySelectorAll(".edge")];
    this.outside = new Set(data.views[id].outside);
    this.inputs = new Map();
    this.users = new Map();
    for (const [source, target] of data.views[id].edges) {
      this.inputs.set(target, [...(this.inputs.get(target) || []), source]);
      this.users.set(source, [...(this.users.get(source) || []), target]);
    }
    for (const [box, element] of this.boxes) this.prepare(box, element);
    for (const frame of this.svg.querySelectorAll(".cluster")) {
      if (data.views[frame.dataset.id] && frame.dataset.id !== id) frame.classList.add("opens");
    }
  }

  // A second outline over each box carries all marks, so the box keeps the colours that it was drawn with.
  prepare(id, element) {
    const shape = element.querySelector("path, polygon, ellipse, rect");
    if (shape) {
      const outline = shape.cloneNode();
      outline.setAttribute("class", "outline");
      element.append(outline);
    }
    element.setAttribute("tabindex", "-1");
    element.setAttribute("role", "button");
    element.setAttribute("aria-label", data.nodes[id] ? data.nodes[id].title : id);
    element.classList.toggle("outside", this.outside.has(id));
  }

  // The box in which a node is seen here: its own, or that of a closed module round it; null if it is elsewhere.
  boxOf(id) {
    const chain = data.nodes[id] ? data.nodes[id].chain : [id];
    return chain.find((each) => this.boxes.has(each) && !this.outside.has(each)) || null;
  }

  // everything from which a box can be reached, or that can be reached from it
  reach(id, next) {
    const found = new Set();
    const stack = [id];
    while (stack.length) {
      for (const other of next.get(stack.pop()) || []) {
        if (!found.has(other)) {
          found.add(other);
          stack.push(other);
        }
      }
    }
    return found;
  }

  // Light up a box with its ancestors and descendants; null puts the light out.
  light(id) {
    const up = id ? this.reach(id, this.inputs) : new Set();
    const down = id ? this.reach(id, this.users) : new Set();
    this.svg.classList.toggle("lit", id !== null);
    for (const [box, element] of this.boxes) {
      element.classList.toggle("self", box === id);
      element.classList.toggle("up", up.has(box));
      element.classList.toggle("down", down.has(box));
    }
    for (const edge of this.edges) {
      // gradients are drawn as edges in the other direction: an edge belongs to its two ends, whichever way it points
      const ends = [edge.dataset.from, edge.dataset.to];
      edge.classList.toggle("up", id !== null && ends.every((end) => end === id || up.has(end)));
      edge.classList.toggle("down", id !== null && ends.every((end) => end === id || down.has(end)));
    }
    return {up: up.size, down: down.size};
  }

  // Mark one step of the backward pass: who runs, who gets a gradient, who has run before.
  mark(now, gets, done) {
    for (const [box, element] of this.boxes) {
      element.classList.toggle("now", box === now);
      element.classList.toggle("gets", box !== now && gets.has(box));
      element.classList.toggle("done", box !== now && done.has(box));
    }
    for (const edge of this.edges) {
      const {from, to} = edge.dataset;
      edge.classList.toggle("flow", (to === now && gets.has(from)) || (from === now && gets.has(to)));
    }
  }

  // The box that an arrow key leads to: along an edge up or down, to a neighbour left or right.
  neighbour(id, key) {
    if (!id) return this.boxes.keys().next().value;
    const list = key === "ArrowUp" ? this.inputs.get(id) : key === "ArrowDown" ? this.users.get(id) : null;
    if (list) return list.find((other) => this.boxes.has(other));
    return key === "ArrowLeft" || key === "ArrowRight" ? this.beside(id, key === "ArrowRight") : undefined;
  }

  beside(id, right) {
    const centre = (element) => {
      const {x, y, width, height} = element.getBBox();
      return {x: x + width / 2, y: y + height / 2};
    };
    const here = centre(this.boxes.get(id));
    let best;
    for (const [other, element] of this.boxes) {
      const there = centre(element);
      const across = right ? there.x - here.x : here.x - there.x;
      const far = across + 3 * Math.abs(there.y - here.y);
      if (across > 1 && (!best || far < best.far)) best = {other, far};
    }
    return best && best.other;
  }
}
