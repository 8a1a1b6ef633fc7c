/* Explorables: figures that answer to the hand, in static pages. No kernel, no network, no dependency.

   A chapter's script adds its figures by name: explore.add("name", (figure, data, kit) => { ... }). Each
   <figure class="explore" data-explore="name"> of the page, which rnnlib/tools/explore.py writes, then comes
   alive. .github/CONTRIBUTING.md shows one in ten lines; what `kit` can do is told below, function by function.

   Texts may hold simple formulas between dollars: $h_{t−1}$ is set in the formulas' letters. Colours are
   classes: x, state, gate, new, grad (dashed), quiet. What is drawn has SVG's coordinates, [x, y], y downwards. */

var explore = (() => {
  "use strict";
  const SVG = "http://www.w3.org/2000/svg";
  const phone = window.matchMedia("(max-width: 600px)");
  const less = window.matchMedia("(prefers-reduced-motion: reduce)");
  const starts = {};
  const copy = Math.random().toString(36).slice(2, 8); // a notebook's page holds several copies of the kit
  let serial = 0;
  const newId = () => `explore-${copy}-${++serial}`;

  // ---------------------------------------------------------------- life of a figure

  function add(name, start) {
    starts[name] = start;
    if (document.readyState !== "loading") wake();
  }

  function wake() {
    for (const figure of document.querySelectorAll("figure.explore:not([data-alive])")) {
      const start = starts[figure.dataset.explore];
      if (start) {
        figure.dataset.alive = "";
        try {
          start(figure, data(figure), kit);
        } catch (error) { // the still picture comes back
          delete figure.dataset.alive;
          figure.querySelectorAll("[data-made]").forEach(made => made.remove());
          starts[figure.dataset.explore] = null;
          reportError(error);
        }
      }
    }
  }

  function data(figure) {
    const script = figure.querySelector('script[type="application/json"]');
    return script ? JSON.parse(script.textContent) : null;
  }

  // The parts of a figure: stage (pictures), controls, say. Made when first needed, always in this order.
  const PARTS = ["stage", "controls", "say"];

  function part(figure, name) {
    let found = figure.querySelector(`:scope > .explore-${name}`);
    if (!found) {
      found = html(name === "say" ? "p" : "div", { class: `explore-${name}`, "data-made": "" });
      if (name === "say") found.setAttribute("role", "status");
      const later = PARTS.slice(PARTS.indexOf(name) + 1).map(other => `:scope > .explore-${other}`);
      figure.insertBefore(found, later.length ? figure.querySelector(later.join()) : null);
    }
    return found;
  }

  // ---------------------------------------------------------------- elements and texts

  function set(element, attributes) {
    for (const [name, value] of Object.entries(attributes)) {
      if (value !== undefined && value !== null) element.setAttribute(name, value);
    }
    return element;
  }

  function html(tag, attributes = {}, ...children) {
    const element = set(document.createElement(tag), attributes);
    element.append(...children);
    return element;
  }

  /** An SVG element: kit.draw(svg, "circle", {cx: 10, cy: 10, r: 5, class: "state"}). */
  function draw(parent, tag, attributes = {}) {
    return parent.appendChild(set(document.createElementNS(SVG, tag), attributes));
  }

  /** "state $h_{t−1}$" → pieces {text, math, shift}: shift is "sub", "sup" or "". */
  function pieces(text) {
    return String(text).split("$").flatMap((side, i) => {
      if (i % 2 === 0) return side ? [{ text: side, math: false, shift: "" }] : [];
      const found = [];
      for (const [, sign, braced, single, plain] of side.matchAll(/([_^])(?:\{([^}]*)\}|(.))|([^_^]+)/gu)) {
        const shift = sign === "_" ? "sub" : sign === "^" ? "sup" : "";
        // Letters are italic, with what stands above them; digits and signs are not.
        for (const [run] of (braced ?? single ?? plain).matchAll(/[\p{L}\p{M}]+|[^\p{L}\p{M}]+/gu)) {
          found.push({ text: run, math: /\p{L}/u.test(run), shift });
        }
      }
      return found;
    });
  }

  /** Put a text with formulas into an HTML element. */
  function write(element, text) {
    element.replaceChildren(...pieces(text).map(piece => {
      const inner = piece.math ? html("i", { class: "explore-math" }, piece.text) : piece.text;
      return piece.shift ? html(piece.shift, {}, inner) : inner;
    }));
    return element;
  }

  /** A text at [x, y]. options: anchor (start, middle, end), size in px, part. Returns it; kit.retext changes it. */
  function text(svg, [x, y], words, classes = "", { anchor = "middle", size = 16, part } = {}) {
    const element = draw(svg, "text", {
      x, y, class: classes, "text-anchor": anchor, "font-size": size, "data-part": part });
    return retext(element, words);
  }

  function retext(element, words) {
    element.replaceChildren();
    let lowered = 0; // how far the last piece stands below the line, in units of the normal size
    for (const piece of pieces(words)) {
      const [level, scale] = { sub: [0.22, 0.76], sup: [-0.4, 0.76], "": [0, 1] }[piece.shift];
      const span = draw(element, "tspan", { class: piece.math ? "explore-math" : null });
      if (scale !== 1) span.style.fontSize = `${scale}em`;
      if (level !== lowered) span.setAttribute("dy", `${((level - lowered) / scale).toFixed(3)}em`);
      span.textContent = piece.text;
      lowered = level;
    }
    return element;
  }

  /** 0.1234 → "0.123", −1e−7 → "−1.00e−7": `digits` that count, a true minus sign. */
  function number(value, digits = 3) {
    const size = Math.abs(value);
    const plain = value === 0 || (size >= 1e-3 && size < 1e5);
    const written = plain ? String(+value.toPrecision(digits)) : value.toExponential(digits - 1);
    return written.replace(/-/g, "−").replace("e+", "e");
  }

  /** A formula that stays in one line. */
  const whole = words => words.replaceAll(" ", "\u00a0");

  const sigma = a => 1 / (1 + Math.exp(-a));

  /** n numbers from lo to hi. */
  function span(lo, hi, n) {
    return Array.from({ length: n }, (_, i) => lo + ((hi - lo) * i) / Math.max(1, n - 1));
  }

  // ---------------------------------------------------------------- drawing

  /** A picture of the figure: an <svg> that is as wide as the page allows, at most `width` × 1.15 px.
      On a phone a picture must be some 360 wide, so that no label gets too small: that is the width if none is
      given; kit.layout draws anew when the page changes its width. */
  function svg(figure, { width = phone.matches ? 360 : 640, height = 320, label = figure.dataset.alt } = {}) {
    const element = draw(part(figure, "stage"), "svg", { role: "img", "aria-label": label });
    if (figure.querySelector(":scope > .explore-stage:not([data-made])")) element.setAttribute("data-made", "");
    return resize(element, width, height);
  }

  /** Empty a picture and give it a new size. */
  function resize(element, width, height) {
    element.replaceChildren();
    element.style.maxWidth = `${Math.round(width * 1.15)}px`;
    return set(element, { viewBox: `0 0 ${width} ${height}`, width: "100%" });
  }

  /** Call paint(narrow) now, and again whenever the page becomes narrow or wide. */
  function layout(paint) {
    phone.addEventListener("change", () => paint(phone.matches));
    paint(phone.matches);
  }

  /** A box with a label in it. at: [left, top, width, height]. options: part, size. Returns its <g>. */
  function box(svg, [left, top, width, height], label = "", classes = "", { part, size = 16 } = {}) {
    const group = draw(svg, "g", { class: `box ${classes}`, "data-part": part });
    draw(group, "rect", { x: left, y: top, width, height, rx: 6 });
    if (label) text(group, [left + width / 2, top + height / 2 + 0.34 * size], label, "", { size });
    return group;
  }

  /** An arrow between two points. options: label (beside its middle), curve (how far its middle leaves the
      straight line, in px; positive is to the left of its way), part, size. Returns its <g>. */
  function arrow(svg, from, to, classes = "", { label, curve = 0, part, size = 15 } = {}) {
    const group = draw(svg, "g", { class: `arrow ${classes}`, "data-part": part });
    const along = [to[0] - from[0], to[1] - from[1]];
    const length = Math.hypot(...along) || 1;
    const left = [along[1] / length, -along[0] / length];
    const control = [0, 1].map(i => (from[i] + to[i]) / 2 + 2 * curve * left[i]);
    const angle = Math.atan2(to[1] - control[1], to[0] - control[0]);
    const tip = 9;
    const neck = [to[0] - 0.8 * tip * Math.cos(angle), to[1] - 0.8 * tip * Math.sin(angle)];
    const wing = turn => `${to[0] - tip * Math.cos(angle + turn)} ${to[1] - tip * Math.sin(angle + turn)}`;
    draw(group, "path", { class: "shaft", d: `M${from.join(" ")}Q${control.join(" ")} ${neck.join(" ")}` });
    draw(group, "path", { class: "tip", d: `M${to.join(" ")}L${wing(0.45)}L${wing(-0.45)}Z` });
    if (label) {
      const away = curve < 0 ? -1 : 1;
      const at = [0, 1].map(i => (from[i] + to[i]) / 2 + (curve + away * 0.75 * size) * left[i]);
      text(group, [at[0], at[1] + 0.34 * size], label, "", {
        size, anchor: Math.abs(left[0]) < 0.5 ? "middle" : left[0] * away > 0 ? "start" : "end" });
    }
    return group;
  }

  /** Round numbers within [lo, hi], some `count` of them; powers of ten if log. */
  function ticksOf([lo, hi], count, log) {
    if (log) {
      const [a, b] = [Math.ceil(Math.log10(lo) - 1e-9), Math.floor(Math.log10(hi) + 1e-9)];
      const stride = Math.max(1, Math.ceil((b - a) / count));
      return span(0, b - a, b - a + 1).filter(i => i % stride === 0).map(i => 10 ** (a + i));
    }
    const rough = (hi - lo) / count;
    const power = 10 ** Math.floor(Math.log10(rough));
    const step = [1, 2, 5, 10].map(m => m * power).find(s => s >= rough * 0.999);
    const first = Math.ceil(lo / step - 1e-9);
    return span(0, 1e3, 1001).map(i => (first + i) * step).filter(v => v <= hi + 1e-9 * step)
      .map(v => +v.toPrecision(12));
  }

  /** Axes. options: x and y: [lo, hi]; xlabel, ylabel; log: "x", "y" or "xy"; box: [left, top, width, height];
      ticks: {x: [...], y: [...]}. Returns x(v), y(v): values to pixels; x.inverse, y.inverse: back; box;
      line(points, classes), dots(points, classes, radius), update(lineOrDots, points). Points are [x, y] in
      values; what is not finite breaks a line, what lies outside is cut off. */
  function axes(svg, { x, y, xlabel, ylabel, log = "", box, ticks = {} }) {
    const [, , width, height] = svg.getAttribute("viewBox").split(" ").map(Number);
    const [left, top, w, h] = box ?? [ylabel ? 64 : 46, 10, width - (ylabel ? 78 : 60), height - (xlabel ? 58 : 38)];
    const scale = (range, from, length, isLog) => {
      const f = isLog ? Math.log10 : v => v;
      const g = isLog ? v => 10 ** v : v => v;
      const [a, b] = range.map(f);
      const map = v => from + (length * (f(v) - a)) / (b - a);
      map.inverse = pixel => g(a + ((pixel - from) * (b - a)) / length);
      return map;
    };
    const logX = log.includes("x"), logY = log.includes("y");
    const X = scale(x, left, w, logX), Y = scale(y, top + h, -h, logY);
    const frame = draw(svg, "g", { class: "axes" });
    const name = (v, isLog) => (isLog ? `10$^{${number(Math.round(Math.log10(v)))}}$` : number(v, 6));
    for (const v of ticks.x ?? ticksOf(x, Math.max(3, w / 70), logX)) {
      draw(frame, "path", { class: "tick", d: `M${X(v)} ${top}v${h}` });
      text(frame, [X(v), top + h + 18], name(v, logX), "", { size: 14 });
    }
    for (const v of ticks.y ?? ticksOf(y, Math.max(3, h / 50), logY)) {
      draw(frame, "path", { class: "tick", d: `M${left} ${Y(v)}h${w}` });
      text(frame, [left - 7, Y(v) + 5], name(v, logY), "", { size: 14, anchor: "end" });
    }
    draw(frame, "path", { class: "frame", d: `M${left} ${top}v${h}h${w}` });
    if (xlabel) text(frame, [left + w / 2, top + h + 42], xlabel);
    if (ylabel) {
      const at = [left - 48, top + h / 2];
      text(frame, at, ylabel).setAttribute("transform", `rotate(-90 ${at.join(" ")})`);
    }
    const clip = newId();
    draw(draw(svg, "clipPath", { id: clip }), "rect", { x: left, y: top - 3, width: w + 3, height: h + 6 });
    const place = ([u, v]) => [X(u), Y(v)];
    // Far outside is as good as infinitely far (the zero of a logarithmic axis), and a renderer can hold it.
    const near = v => Math.min(1e4, Math.max(-1e4, v)).toFixed(2);
    const known = point => point.every(Number.isFinite) && !place(point).some(Number.isNaN);
    const inside = ([px, py]) => px > left - 1 && px < left + w + 1 && py > top - 1 && py < top + h + 1;

    function update(element, points) {
      if (element.tagName === "path") {
        let pen = "M";
        element.setAttribute("d", points.map(point => {
          const piece = known(point) ? `${pen}${place(point).map(near).join(" ")}` : "";
          pen = piece ? "L" : "M";
          return piece;
        }).join(""));
      } else {
        element.replaceChildren();
        for (const [cx, cy] of points.filter(known).map(place).filter(inside)) {
          draw(element, "circle", { cx, cy, r: element.dataset.radius });
        }
      }
      return element;
    }

    return {
      x: X, y: Y, box: [left, top, w, h], update,
      line: (points, classes = "") =>
        update(draw(svg, "path", { class: `line ${classes}`, "clip-path": `url(#${clip})` }), points),
      dots: (points, classes = "", radius = 4) =>
        update(draw(svg, "g", { class: `dots ${classes}`, "data-radius": radius }), points),
    };
  }

  // ---------------------------------------------------------------- streams and cells

  /** The outline of a star; its box has its centre at [x, y]. */
  function starAt([x, y], r) {
    const corners = [...Array(10).keys()].map(k => {
      const [far, turn] = [k % 2 ? 0.42 * r : r, (k * Math.PI) / 5];
      return `${(x + far * Math.sin(turn)).toFixed(1)} ${(y + 0.0955 * r - far * Math.cos(turn)).toFixed(1)}`;
    });
    return `M${corners.join("L")}Z`;
  }

  /** The outline of a bell. */
  const bellAt = ([x, y]) => `M${x - 8} ${y + 5}Q${x - 5} ${y + 2} ${x - 5} ${y - 3}A5 5 0 0 1 ${x + 5} ${y - 3}` +
    `Q${x + 5} ${y + 2} ${x + 8} ${y + 5}ZM${x - 2.5} ${y + 7}A2.5 2.5 0 0 0 ${x + 2.5} ${y + 7}Z`;

  /** Bars from 0 to 1, one a step: how far a gate is open. Returns a function that shows other values. */
  function bars(svg, [left, top, width, height], T, label) {
    text(svg, [left - 7, top + height - 2], label, "", { size: 14, anchor: "end" });
    const group = draw(svg, "g", { class: "gate", style: "fill: var(--pen)" });
    draw(svg, "path", { class: "line quiet", d: `M${left} ${top + height}h${width}`, style: "stroke-width: 1" });
    const wide = width / T;
    return values => group.replaceChildren(...values.map((value, t) => draw(group, "rect", {
      x: left + (t + 0.12) * wide, y: top + (1 - value) * height, width: 0.76 * wide, height: value * height })));
  }

  /** A stream of numbers, its star and its bell. Returns the axes, and show({x, star, bell, t}): what comes at
      step t and later is faint. */
  function stream(svg, box, T) {
    const frame = axes(svg, { x: [0, T], y: [-1.15, 1.15], box, ticks: { x: [], y: [-1, 0, 1] } });
    const middle = t => frame.x(t + 0.5);
    const [, top, , height] = box;
    text(svg, [box[0] - 30, top + height / 2 + 5], "stream", "", { size: 14, anchor: "end" });
    const later = frame.dots([], "x", 2.5), past = frame.dots([], "x", 3.5);
    later.style.opacity = 0.4;
    const wide = "stroke: transparent; stroke-linejoin: round; stroke-width: 16"; // a finger finds it
    const star = draw(svg, "path", { class: "x", style: `fill: var(--pen); ${wide}` });
    const bell = draw(svg, "path", { style: `fill: var(--explore-ink); ${wide}` });
    const show = now => {
      const points = now.x.map((value, t) => [t + 0.5, value]);
      const plain = (from, to) => points.slice(from, to).filter(([at]) => at !== now.star + 0.5);
      frame.update(later, plain(now.t));
      frame.update(past, plain(0, now.t));
      star.setAttribute("d", starAt([middle(now.star), frame.y(now.x[now.star])], 10));
      bell.setAttribute("d", bellAt([middle(now.bell), top - 9]));
    };
    return { axes: frame, star, bell, middle, show };
  }

  /** One unit's circuit: what it draws has a name, and show({name: value, ...}) changes it. Arrows are as thick as
      their numbers are large, gates (a glass) as full as they are open. `part` is what kit.highlight lights. */
  function circuit(svg) {
    const live = {};
    const told = value => number(value, 2);
    return {
      show: values => Object.entries(values).forEach(([name, value]) => live[name](value)),
      arrow(name, from, to, classes, part) {
        const shaft = arrow(svg, from, to, classes, { part }).querySelector(".shaft");
        live[name] = v => (shaft.style.strokeWidth = 0.75 + 7 * Math.min(1, Math.abs(v)));
      },
      box(name, label, [left, top], classes, part) {
        const group = box(svg, [left, top, 62, 44], "", classes, { part });
        text(group, [left + 31, top + 20], label); // a tilde stands high
        const value = text(group, [left + 31, top + 38], "", "", { size: 15 });
        live[name] = v => retext(value, told(v));
      },
      gate(name, [x, y], label, at, part) {
        const group = draw(svg, "g", { class: "gate", "data-part": part });
        draw(group, "circle", { cx: x, cy: y, r: 15, style: "fill: var(--explore-ground)" });
        const filling = draw(group, "path", { style: "fill: var(--pen); opacity: 0.4" });
        draw(group, "circle", { cx: x, cy: y, r: 15, style: "fill: none; stroke: var(--pen); stroke-width: 2" });
        text(group, [x, y + 6], "×", "ink", { size: 18 });
        const words = text(group, at, "", "", { size: 15, anchor: "start" });
        live[name] = v => {
          const [level, half] = [y + 15 - 30 * v, 30 * Math.sqrt(v * (1 - v))];
          filling.setAttribute("d", v === 1 ? `M${x - 15} ${y}a15 15 0 0 0 30 0a15 15 0 0 0 -30 0Z`
            : `M${x - half} ${level}A15 15 0 ${+(v > 0.5)} 0 ${x + half} ${level}Z`);
          retext(words, `${label} = ${told(v)}`);
        };
      },
      sum([x, y], classes, part) {
        const group = draw(svg, "g", { class: classes, "data-part": part });
        draw(group, "circle", { cx: x, cy: y, r: 14, style: "fill: var(--explore-ground); stroke: var(--pen); stroke-width: 2" });
        text(group, [x, y + 6], "+", "ink", { size: 18 });
      },
    };
  }

  // ---------------------------------------------------------------- controls

  /** A slider. change(value) is called when the reader moves it. Returns the <input>; input.show(value)
      moves it without a call. options: colour, a class; row: how many sliders stand side by side, on a phone too. */
  function range(figure, { label, min, max, step, value, format = number, colour, row }, change) {
    const id = newId();
    const shown = html("output", { for: id, "aria-live": "off" }); // the slider says its value itself
    const input = html("input", { type: "range", id, min, max, step, autocomplete: "off" });
    input.show = v => {
      input.value = v;
      write(shown, format(+input.value));
      input.setAttribute("aria-valuetext", shown.textContent);
    };
    input.addEventListener("input", () => {
      input.show(input.value);
      change(+input.value);
    });
    input.show(value);
    if (colour) input.style.accentColor = `var(--explore-${colour})`;
    const style = row && `flex: 1 1 calc((100% - ${1.05 * (row - 1)}rem) / ${row}); min-width: 0`;
    part(figure, "controls").append(html("div", { class: "explore-range", style, "data-made": "" },
      html("div", {}, write(html("label", { for: id }), label), ": ", shown), input));
    return input;
  }

  /** A button. */
  function button(figure, label, press) {
    const element = write(html("button", { type: "button", "data-made": "" }), label);
    element.addEventListener("click", () => press(element));
    part(figure, "controls").append(element);
    return element;
  }

  /** Radio buttons; `value`, or the first, is chosen. options: texts, or [value, text]. Returns the <fieldset>. */
  function choice(figure, label, options, change, value) {
    const group = newId();
    const element = html("fieldset", { class: "explore-choice", "data-made": "" }, write(html("legend"), label));
    options.map(option => (Array.isArray(option) ? option : [option, option])).forEach(([of, words], i) => {
      const input = html("input", { type: "radio", name: group, autocomplete: "off" });
      input.checked = value === undefined ? i === 0 : of === value;
      input.addEventListener("change", () => change(of));
      element.append(html("label", {}, input, write(html("span"), words)));
    });
    part(figure, "controls").append(element);
    return element;
  }

  /** ← range →, for figures that are stepped through. show(i) is called at once and at each step from 0 to
      count − 1. ← and → work wherever the focus is in the figure. Returns the <input>, with input.go(i). */
  function stepper(figure, { label = "step", count }, show) {
    const go = i => {
      const at = Math.min(count - 1, Math.max(0, i));
      input.show(at);
      back.setAttribute("aria-disabled", at === 0); // not disabled: it would lose the focus
      on.setAttribute("aria-disabled", at === count - 1);
      show(at);
    };
    const row = html("div", { class: "explore-stepper", "data-made": "" });
    const back = button(figure, "←", () => go(+input.value - 1));
    const input = range(figure, { label, min: 0, max: count - 1, step: 1, value: 0,
      format: i => `${i + 1} of ${count}` }, go);
    const on = button(figure, "→", () => go(+input.value + 1));
    back.setAttribute("aria-label", "one step back");
    on.setAttribute("aria-label", "one step on");
    part(figure, "controls").append(row);
    row.append(back, input.parentElement, on);
    figure.addEventListener("keydown", event => {
      if (event.altKey || event.ctrlKey || event.metaKey) return;
      const way = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
      if (way && !event.target.matches("input, [role=slider]")) {
        event.preventDefault();
        go(+input.value + way);
      }
    });
    input.go = go;
    go(0);
    return input;
  }

  /** Play and pause. tick() is called every `ms`; it returns false to stop. Nothing plays by itself; where
      the reader wants less motion, each press is one tick. options: slow(), whether the tick to come waits four
      times as long; step, the label of a button for single ticks. Returns {play, pause, button}. */
  function play(figure, tick, ms = 600, { slow = () => false, step } = {}) {
    let timer = null, waited = 0;
    const name = () => (less.matches ? "Step" : timer ? "Pause" : "Play");
    const pause = () => {
      clearInterval(timer);
      timer = null;
      write(element, name());
    };
    const once = () => {
      if (document.hidden) return;
      waited = slow() ? (waited + 1) % 4 : 0;
      if (!waited && tick() === false) pause();
    };
    const start = () => {
      if (less.matches) return void tick();
      if (timer) return;
      timer = setInterval(once, ms);
      write(element, name());
      once();
    };
    const element = button(figure, "", () => (timer ? pause() : start()));
    if (step && !less.matches) button(figure, step, () => {
      pause();
      tick();
    });
    less.addEventListener("change", pause);
    pause();
    return { play: start, pause, button: element };
  }

  /** Let an SVG element be dragged, by mouse, touch, and the arrow keys when it has the focus.
      move([x, y]) gets where it should go. options: label (for screen readers), keys (step of an arrow key,
      in px of the viewBox), value (() => what it now means, in words). */
  function drag(element, move, { label = "handle", keys = 10, value } = {}) {
    // A finger drags, and the page does not scroll: Chromium heeds no touch-action on a shape of an SVG.
    element.addEventListener("touchstart", event => event.preventDefault(), { passive: false });
    const picture = element.ownerSVGElement;
    picture.setAttribute("role", "group"); // an image may hold nothing that takes the focus
    set(element, { tabindex: 0, role: "slider", "aria-label": label,
      "aria-valuemin": 0, "aria-valuemax": picture.viewBox.baseVal.width });
    element.classList.add("handle");
    const at = () => {
      const { x, y, width, height } = element.getBBox();
      return [x + width / 2, y + height / 2];
    };
    const tell = () => {
      const [x, y] = at().map(Math.round);
      element.setAttribute("aria-valuenow", x);
      element.setAttribute("aria-valuetext", value ? value() : `${x}, ${y}`);
    };
    const to = point => {
      move(point);
      tell();
    };
    let grip = null; // where in the element it was seized
    const pointer = event => {
      const { x, y } = new DOMPoint(event.clientX, event.clientY).matrixTransform(picture.getScreenCTM().inverse());
      return [x, y];
    };
    element.addEventListener("pointerdown", event => {
      const [p, q] = [pointer(event), at()];
      grip = [q[0] - p[0], q[1] - p[1]];
      element.setPointerCapture(event.pointerId);
      element.focus();
      event.preventDefault();
    });
    element.addEventListener("pointermove", event => {
      if (grip) to(pointer(event).map((v, i) => v + grip[i]));
    });
    for (const end of ["pointerup", "pointercancel"]) element.addEventListener(end, () => (grip = null));
    element.addEventListener("keydown", event => {
      if (event.altKey || event.ctrlKey || event.metaKey) return;
      const way = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
      if (way) {
        event.preventDefault();
        event.stopPropagation();
        to(at().map((v, i) => v + keys * way[i]));
      }
    });
    tell();
    return element;
  }

  /** enter() when the pointer or the focus comes to an element (a tap counts), leave() when it goes. */
  function hover(element, enter, leave = () => {}) {
    if (!element.matches("button, a, input")) element.setAttribute("tabindex", 0);
    element.ownerSVGElement?.setAttribute("role", "group");
    for (const event of ["pointerenter", "focus"]) element.addEventListener(event, () => enter(element));
    // A finger that is lifted leaves, too: then the light stays until the next tap.
    element.addEventListener("pointerleave", event => event.pointerType === "touch" || leave(element));
    element.addEventListener("blur", () => leave(element));
    return element;
  }

  // ---------------------------------------------------------------- words and light

  const lights = new Map(); // figure -> what it lights

  /** A sentence below the figure; screen readers read it when it changes. */
  function say(figure, words) {
    const element = part(figure, "say");
    if (element.dataset.said !== words) write(element, (element.dataset.said = words));
  }

  /** Light every element whose data-part (or TeX's \class{part-…}) is among `names`, a string or a list: in the
      figure, and in the formulas of the page that it names in data-formulas. [] puts the light out. */
  function highlight(figure, names) {
    lights.set(figure, names);
    const wanted = new Set(typeof names === "string" ? names.split(" ").filter(Boolean) : names);
    const labels = (figure.dataset.formulas ?? "").split(" ").filter(Boolean);
    const places = [figure, ...labels.map(label => document.getElementById(`equation-${label}`))];
    for (const place of places.filter(Boolean)) {
      place.classList.toggle("lights", wanted.size > 0);
      for (const element of place.querySelectorAll('[data-part], [class*="part-"]')) {
        const parts = (element.dataset.part ?? "").split(" ");
        for (const name of element.classList) if (name.startsWith("part-")) parts.push(name.slice(5));
        element.classList.toggle("lit", parts.some(name => wanted.has(name)));
      }
    }
  }

  const fading = new Map(); // figure -> the timer that puts its light out

  /** Light what has just changed, for two seconds; where the reader wants less motion, nothing. */
  function flash(figure, names) {
    if (less.matches) return;
    highlight(figure, names);
    clearTimeout(fading.get(figure));
    fading.set(figure, setTimeout(() => highlight(figure, []), 2000));
  }

  const kit = {
    svg, resize, layout, axes, box, arrow, text, retext, draw, write, number, whole, span, sigma, bars, stream, circuit,
    range, button, choice, stepper, play, drag, hover, say, highlight, flash,
    get narrow() {
      return phone.matches;
    },
  };

  // ---------------------------------------------------------------- the two figures that need no script of their own

  // Pictures behind a slider.
  starts.slider = figure => {
    const frames = [...figure.querySelectorAll(".explore-frame")];
    const { label, start } = figure.dataset;
    range(figure, { label, min: 0, max: frames.length - 1, step: 1, value: start,
      format: i => frames[i].dataset.label }, i => frames.forEach((frame, j) => (frame.hidden = i !== j)));
  };

  // One picture that is stepped through: a sentence, and the parts that it lights. What has data-from="2" can be
  // seen from the second sentence after the first on.
  starts.stepper = figure => {
    const steps = [...figure.querySelectorAll(".explore-steps > li")];
    const later = figure.querySelectorAll("[data-from]");
    const list = steps[0].parentElement;
    list.before(part(figure, "controls"));
    list.setAttribute("aria-live", "polite");
    const show = i => {
      steps.forEach((step, j) => step.classList.toggle("now", i === j));
      later.forEach(element => element.classList.toggle("ahead", i < +element.dataset.from));
      highlight(figure, steps[i].dataset.parts);
    };
    stepper(figure, { count: steps.length }, show);
  };

  // Formulas are set when figures are awake already: light them, too.
  window.addEventListener("load", () =>
    window.MathJax?.startup?.promise?.then(() => lights.forEach((names, figure) => highlight(figure, names))));
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", wake);
  else wake(); // in a notebook's output
  return { add, kit };
})();
