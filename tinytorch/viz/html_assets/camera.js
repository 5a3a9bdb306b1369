// Camera: which part of the picture is seen. It is the SVG's viewBox, so that everything stays sharp.
class Camera {
  constructor(stage) {
    this.stage = stage;
    this.scale = 1; // pixels per unit of the picture
    this.box = {x: 0, y: 0, width: 1, height: 1}; // what is seen, in these units
    this.moved = false; // whether the last press was a drag, not a click
    this.listen();
  }

  // a new picture: see all of it
  look(svg) {
    this.svg = svg;
    const [x, y, width, height] = svg.getAttribute("viewBox").split(/\s+/).map(Number);
    this.whole = {x, y, width, height};
    this.fit();
  }

  // all of the picture, as large as it may be
  fit() {
    const {clientWidth, clientHeight} = this.stage;
    const margin = 24;
    const whole = Math.min(clientWidth / (this.whole.width + margin), clientHeight / (this.whole.height + margin));
    this.set(Math.min(whole, 1.8), this.whole.x + this.whole.width / 2, this.whole.y + this.whole.height / 2);
  }

  // The first look at a tall picture: readable type, beginning at the top.
  start() {
    this.fit();
    if (this.scale >= 1) return;
    const scale = Math.min(1.3, Math.max(0.75, this.stage.clientWidth / (this.whole.width + 24)));
    this.set(scale, this.whole.x + this.whole.width / 2, this.whole.y + this.stage.clientHeight / scale / 2 - 12);
  }

  set(scale, centreX, centreY) {
    this.scale = scale;
    const width = this.stage.clientWidth / scale;
    const height = this.stage.clientHeight / scale;
    this.box = {x: centreX - width / 2, y: centreY - height / 2, width, height};
    this.apply();
  }

  apply() {
    const {x, y, width, height} = this.box;
    if (this.svg) this.svg.setAttribute("viewBox", `${x} ${y} ${width} ${height}`);
  }

  // zoom about a point of the window; without one, about the middle
  zoom(factor, left = this.stage.clientWidth / 2, top = this.stage.clientHeight / 2) {
    const scale = Math.min(Math.max(this.scale * factor, 0.02), 12);
    const x = this.box.x + left / this.scale;
    const y = this.box.y + top / this.scale;
    this.set(scale, x + (this.stage.clientWidth / 2 - left) / scale, y + (this.stage.clientHeight / 2 - top) / scale);
  }

  pan(right, down) { // in pixels
    this.box.x -= right / this.scale;
    this.box.y -= down / this.scale;
    this.apply();
  }

  // Bring an element into sight, if it is not well inside it already.
  reveal(element) {
    const seen = this.stage.getBoundingClientRect();
    const it = element.getBoundingClientRect();
    const small = this.scale < 0.6;
    const inside = it.left > seen.left + 4 && it.right < seen.right - 4
      && it.top > seen.top + 4 && it.bottom < seen.bottom - 4;
    if (inside && !small) return;
    const x = this.box.x + ((it.left + it.right) / 2 - seen.left) / this.scale;
    const y = this.box.y + ((it.top + it.bottom) / 2 - seen.top) / this.scale;
    this.set(small ? 1 : this.scale, x, y);
  }

  listen() {
    const pointers = new Map(); // two of them pinch
    this.stage.addEventListener("pointerdown", (event) => {
      pointers.set(event.pointerId, event);
      this.moved = false;
    });
    window.addEventListener("pointermove", (event) => {
      const before = pointers.get(event.pointerId);
      if (!before) return;
      const [dx, dy] = [event.clientX - before.clientX, event.clientY - before.clientY];
      if (!this.moved && Math.hypot(dx, dy) < 4) return; // a hand that trembles still clicks
      this.moved = true;
      this.stage.classList.add("dragging");
      if (pointers.size === 2) this.pinch(pointers, event);
      else this.pan(dx, dy);
      pointers.set(event.pointerId, event);
    });
    for (const end of ["pointerup", "pointercancel"]) {
      window.addEventListener(end, (event) => {
        pointers.delete(event.pointerId);
        this.stage.classList.remove("dragging");
      });
    }
    this.stage.addEventListener("wheel", (event) => {
      event.preventDefault();
      const {left, top} = this.stage.getBoundingClientRect();
      const pixels = event.deltaY * (event.deltaMode === 1 ? 20 : 1);
      this.zoom(Math.exp(-pixels * (event.ctrlKey ? 0.01 : 0.0015)), event.clientX - left, event.clientY - top);
    }, {passive: false});
    new ResizeObserver(() => this.set(this.scale, ...this.centre())).observe(this.stage);
  }

  centre() {
    return [this.box.x + this.box.width / 2, this.box.y + this.box.height / 2];
  }

  pinch(pointers, event) {
    const [other] = [...pointers.values()].filter((pointer) => pointer.pointerId !== event.pointerId);
    const before = pointers.get(event.pointerId);
    const distance = (a, b) => Math.hypot(a.clientX - b.clientX, a.clientY - b.clientY);
    const {left, top} = this.stage.getBoundingClientRect();
    this.zoom(distance(event, other) / Math.max(distance(before, other), 1),
      (event.clientX + other.clientX) / 2 - left, (event.clientY + other.clientY) / 2 - top);
  }
}
