"use strict";

// Openings over time, drawn as SVG at the size of its box. `seek` is told the frame that is clicked.
function makeCurves(svg, seek) {
  const space = "http://www.w3.org/2000/svg";
  const pad = { left: 44, right: 12, top: 12, bottom: 34 };
  const height = 190;
  let shown = { lines: [], frames: 1 };
  let frame = 0;
  let cursor = null;
  let dots = [];

  function shape(name, attributes, text) {
    const made = document.createElementNS(space, name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    if (text !== undefined) made.textContent = text;
    return made;
  }

  const width = () => Math.max(240, svg.clientWidth || 720);
  const x = (n) => pad.left + (shown.frames > 1 ? n / (shown.frames - 1) : 0) * (width() - pad.left - pad.right);
  const y = (value) => height - pad.bottom - (value / shown.top) * (height - pad.top - pad.bottom);

  function step(top, wanted) {
    const raw = top / wanted;
    const power = 10 ** Math.floor(Math.log10(raw));
    return [1, 2, 5, 10].map((n) => n * power).find((n) => n >= raw);
  }

  function path(values) {
    let text = "";
    let open = false;
    values.forEach((value, n) => {
      if (value === null) { open = false; return; }
      text += `${open ? "L" : "M"}${x(n).toFixed(1)} ${y(value).toFixed(1)}`;
      open = true;
    });
    return text;
  }

  function draw() {
    const known = shown.lines.flatMap((line) => line.values.filter((value) => value !== null));
    svg.replaceChildren();
    svg.closest("figure").hidden = known.length === 0;
    if (known.length === 0) return;
    const highest = Math.max(...known, 1);
    const every = step(highest, 3);
    shown.top = Math.ceil(highest / every) * every;
    svg.setAttribute("viewBox", `0 0 ${width()} ${height}`);
    svg.setAttribute("height", height);
    for (let value = 0; value <= shown.top + every / 1000; value += every) {
      svg.append(shape("line", { class: "grid", x1: pad.left, x2: width() - pad.right, y1: y(value), y2: y(value) }));
      svg.append(shape("text", { class: "tick", x: pad.left - 7, y: y(value) + 4, "text-anchor": "end" }, +value.toFixed(3)));
    }
    const across = Math.max(1, step(shown.frames - 1 || 1, width() / 90));
    for (let n = 0; n < shown.frames; n += across) {
      svg.append(shape("text", { class: "tick", x: x(n), y: height - pad.bottom + 17, "text-anchor": "middle" }, n));
    }
    svg.append(shape("text", { class: "tick", x: width() - pad.right, y: height - 3, "text-anchor": "end" }, "frame"));
    svg.append(shape("text", { class: "tick", x: 11, y: (height - pad.bottom) / 2, "text-anchor": "middle", transform: `rotate(-90 11 ${(height - pad.bottom) / 2})` }, "opening, px"));
    for (const line of shown.lines) {
      const drawn = shape("path", { class: line.truth ? "line truth" : "line", d: path(line.values), "stroke-dasharray": line.dash });
      drawn.style.setProperty("--line-color", line.color);
      svg.append(drawn);
    }
    cursor = shape("line", { class: "cursor", y1: pad.top, y2: height - pad.bottom });
    svg.append(cursor);
    dots = shown.lines.map((line) => {
      const dot = shape("circle", { class: line.truth ? "dot truth" : "dot", r: 4 });
      dot.style.setProperty("--line-color", line.color);
      svg.append(dot);
      return dot;
    });
    move(frame);
  }

  function move(n) {
    frame = n;
    if (!cursor || svg.closest("figure").hidden) return;
    cursor.setAttribute("x1", x(n));
    cursor.setAttribute("x2", x(n));
    shown.lines.forEach((line, i) => {
      const value = line.values[n];
      const known = value !== null && value !== undefined;
      dots[i].style.display = known ? "" : "none";
      if (known) { dots[i].setAttribute("cx", x(n)); dots[i].setAttribute("cy", y(value)); }
    });
  }

  function at(event) {
    const left = svg.getBoundingClientRect().left;
    const share = (event.clientX - left - pad.left) / (width() - pad.left - pad.right);
    seek(Math.round(Math.min(1, Math.max(0, share)) * (shown.frames - 1)));
  }

  svg.addEventListener("pointerdown", (event) => { svg.setPointerCapture(event.pointerId); at(event); });
  svg.addEventListener("pointermove", (event) => { if (event.buttons & 1) at(event); });
  new ResizeObserver(() => draw()).observe(svg.closest("figure"));

  return {
    show(lines, frames) { shown = { lines, frames: Math.max(1, frames) }; draw(); },
    move,
  };
}
