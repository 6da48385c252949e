"use strict";

(() => {
  const holder = document.getElementById("clips-data");
  if (!holder) return;
  const data = JSON.parse(holder.textContent);
  const at = (id) => document.getElementById(id);
  const player = at("player");
  const slider = at("slider");
  const pictures = new Map();
  let board = data.boards[0];
  let clip = null;
  let sides = [];
  let frames = 0;
  let frame = 0;
  let playing = null;

  const curves = makeCurves(at("curves"), (n) => { pause(); show(n); });
  const list = makeList((chosen, byHand) => openClip(chosen, byHand));

  function picture(number) {
    if (!pictures.has(number)) {
      const image = new Image();
      image.src = data.sheets[number].src;
      pictures.set(number, image);
    }
    return pictures.get(number);
  }

  // One side: a canvas under its name, or the reason why there is none.
  function makeSide(label, found, system, place) {
    const known = found.sheet !== null;
    const sheet = known ? data.sheets[found.sheet] : null;
    const swatch = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    swatch.setAttribute("viewBox", "0 0 28 8");
    swatch.setAttribute("aria-hidden", "true");
    swatch.setAttribute("class", "swatch");
    const line = document.createElementNS("http://www.w3.org/2000/svg", "path");
    line.setAttribute("d", "M1 4H27");
    line.setAttribute("class", system ? "line" : "line truth");
    if (system) {
      line.setAttribute("stroke-dasharray", system.dash);
      line.style.setProperty("--line-color", system.color);
    }
    swatch.append(line);
    const facts = element("span", { class: "facts" });
    const values = system && clip.values[place - 1];
    if (values) {
      const places = [...new Set([Math.max(0, at("metric").selectedIndex), ...board.metrics.keys()])].slice(0, 3);
      facts.textContent = places.map((i) => `${board.metrics[i].title} ${numberText(values[i], board.metrics[i])}`).join(" · ");
    }
    else if (!system) facts.textContent = `${clip.frames} frames`;
    const opening = element("span", { class: "opening" });
    const caption = element("figcaption", {}, element("span", { class: "name" }, swatch, label), facts, opening);
    const figure = element("figure", { class: "side" });
    let canvas = null;
    if (known) {
      canvas = element("canvas", { width: sheet.size[1], height: sheet.size[0], role: "img", "aria-label": `${label}, frame 0` });
      figure.append(canvas);
    } else {
      figure.append(element("p", { class: "absent" }, found.reason === "not kept" ? "No clip was kept." : `Cannot be shown: ${found.reason}.`));
    }
    figure.append(caption);
    return { label, figure, canvas, sheet, number: found.sheet, length: found.length, aperture: found.aperture, opening };
  }

  function drawSide(side) {
    const value = side.aperture[frame];
    side.opening.textContent = value === undefined || value === null ? "" : `opening ${value.toFixed(1)} px`;
    if (!side.canvas) return;
    const last = side.sheet.frames - 1;
    const n = Math.min(frame, last);
    const ended = frame > last;
    const [height, width] = side.sheet.size;
    const [down, across] = side.sheet.stride;
    const source = picture(side.number);
    const draw = () => {
      const top = Math.floor(n / side.sheet.columns) * down;
      side.canvas.getContext("2d").drawImage(source, (n % side.sheet.columns) * across, top, width, height, 0, 0, width, height);
      side.canvas.dataset.frame = n;
    };
    // a picture that comes late draws the frame that is wanted by then
    if (source.complete && source.naturalWidth) draw();
    else source.decode().then(() => { if (sides.includes(side)) drawSide(side); }, () => { side.canvas.replaceWith("This browser cannot show WebP pictures."); });
    side.figure.classList.toggle("ended", ended);
    side.canvas.setAttribute("aria-label", `${side.label}, frame ${n}${ended ? ", ended" : ""}`);
  }

  function show(n) {
    frame = Math.min(frames - 1, Math.max(0, n));
    slider.value = frame;
    const seconds = (frame / clip.play.fps).toFixed(2);
    at("where").textContent = `frame ${frame} of ${frames - 1} · ${seconds} s`;
    slider.setAttribute("aria-valuetext", `frame ${frame} of ${frames - 1}, ${seconds} seconds`);
    sides.forEach(drawSide);
    curves.move(frame);
  }

  function pause() {
    if (playing !== null) cancelAnimationFrame(playing);
    playing = null;
    at("play").querySelector("span").textContent = "Play";
    player.classList.remove("playing");
  }

  function play() {
    if (!clip || playing !== null) return;
    let begun = null;
    let from = frame >= frames - 1 ? 0 : frame;
    let speed = Number(at("speed").value);
    at("play").querySelector("span").textContent = "Pause";
    player.classList.add("playing");
    function tick(now) {
      const wanted = Number(at("speed").value);
      if (begun === null || wanted !== speed) { begun = now; from = begun === null ? from : frame >= frames - 1 ? 0 : from; speed = wanted; }
      let n = from + Math.floor(((now - begun) / 1000) * clip.play.fps * speed);
      if (n >= frames) {
        if (!at("loop").checked) { show(frames - 1); pause(); return; }
        begun = now;
        from = 0;
        n = 0;
      }
      if (n !== frame) show(n);
      playing = requestAnimationFrame(tick);
    }
    show(from);
    playing = requestAnimationFrame(tick);
  }

  const toggle = () => (playing === null ? play() : pause());
  const step = (by) => { pause(); show(frame + by); };

  function openClip(chosen, byHand = false) {
    const wasPlaying = playing !== null;
    pause();
    clip = chosen;
    player.hidden = clip === null;
    list.mark(clip);
    if (clip === null) return;
    at("clip-title").textContent = clip.text ? `“${clip.text}”` : clip.id;
    const facts = [clip.text ? clip.id : "", clip.speaker ? `speaker ${clip.speaker}` : "", `${clip.frames} frames at ${+clip.play.fps.toFixed(3)} per second`, clip.play.why];
    at("clip-facts").textContent = facts.filter(Boolean).join(" · ");
    sides = clip.play.sides.map((found, i) => makeSide(i ? board.systems[i - 1].label : "Ground truth", found, i ? board.systems[i - 1] : null, i));
    at("sides").replaceChildren(...sides.map((side) => side.figure));
    frames = Math.max(1, ...sides.map((side) => Math.max(side.sheet ? side.sheet.frames : 0, side.aperture.length)));
    slider.max = frames - 1;
    const lines = sides.map((side, i) => ({ values: side.aperture, truth: i === 0, color: i ? board.systems[i - 1].color : "", dash: i ? board.systems[i - 1].dash : "" }));
    curves.show(lines.filter((line) => line.values.length), frames);
    show(0);
    if (byHand) {
      say(`Clip ${clip.id} is in the player`);
      player.scrollIntoView({ block: "nearest" });
      if (wasPlaying) play();
    }
  }

  function filtered() {
    const speaker = at("speaker").value;
    const [shortest, longest] = ["shortest", "longest"].map((id) => (at(id).value === "" ? null : Number(at(id).value)));
    return board.clips.filter((one) => (speaker === "" || one.speaker === speaker)
      && (shortest === null || one.frames >= shortest) && (longest === null || one.frames <= longest));
  }

  // Of what the filter leaves, the clip that is in the player stays there; else the first that was chosen of them.
  function filter() {
    const left = filtered();
    list.show(board, at("metric").selectedIndex, left);
    const playable = left.filter((one) => one.play);
    if (!playable.includes(clip)) openClip(firstChosen(playable));
    else list.mark(clip);
  }

  function firstChosen(playable) {
    return playable.reduce((best, one) => (best && best.play.rank <= one.play.rank ? best : one), null);
  }

  function openBoard(number) {
    board = data.boards[number];
    clip = null;
    const options = (select, entries) => select.replaceChildren(...entries.map(([value, text]) => element("option", { value }, text)));
    options(at("metric"), board.metrics.map((metric) => [metric.name, metric.title]));
    at("metric").closest("p").hidden = board.metrics.length === 0;
    const speakers = [...new Set(board.clips.map((one) => one.speaker))].filter(Boolean).sort();
    options(at("speaker"), [["", `all ${speakers.length}`], ...speakers.map((one) => [one, one])]);
    at("speaker").closest("p").hidden = speakers.length < 2;
    const lengths = board.clips.map((one) => one.frames);
    at("shortest").placeholder = Math.min(...lengths);
    at("longest").placeholder = Math.max(...lengths);
    at("shortest").value = at("longest").value = "";
    at("shortest").closest("fieldset").hidden = Math.min(...lengths) === Math.max(...lengths);
    filter();
  }

  at("board").replaceChildren(...data.boards.map((one, i) => element("option", { value: i }, one.title)));
  at("board-field").hidden = data.boards.length < 2;
  at("board").addEventListener("change", () => openBoard(at("board").selectedIndex));
  at("metric").addEventListener("change", filter);
  for (const id of ["speaker", "shortest", "longest"]) {
    at(id).addEventListener("input", () => { filter(); sayLater(() => at("list-count").textContent); });
  }
  at("play").addEventListener("click", toggle);
  at("back").addEventListener("click", () => step(-1));
  at("forward").addEventListener("click", () => step(1));
  slider.addEventListener("input", () => { pause(); show(Number(slider.value)); });
  player.addEventListener("keydown", (event) => {
    if (event.altKey || event.ctrlKey || event.metaKey || event.target.matches("select, input:not([type=range])")) return;
    const far = event.shiftKey ? 10 : 1;
    const actions = { ArrowLeft: () => step(-far), ArrowRight: () => step(far), Home: () => step(-frames), End: () => step(frames) };
    const isButton = event.target.matches("button");
    if (event.key === " " && !isButton) toggle();
    else if (actions[event.key]) actions[event.key]();
    else return;
    event.preventDefault();
  });

  at("clips-all").hidden = false;
  // first comes what can be played, if anything can
  const first = Math.max(0, data.boards.findIndex((one) => one.clips.some((some) => some.play)));
  at("board").selectedIndex = first;
  openBoard(first);
})();
