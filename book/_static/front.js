/* The front page: two units that remember, beside a window of five that forgets. */

explore.add("front", (figure, data, kit) => {
  const WINDOW = 5, TAPE = 20, TRAIL = 12, TICK = 800;
  const tint = "color-mix(in srgb, var(--explore-state) 12%, var(--explore-ground))";
  const inputs = []; // all so far
  const states = [[0, 0]]; // states[t] is the state before inputs[t]
  let show; // draws what changes from tick to tick
  let sent = 0; // when the reader's last signal came

  // One step of the network, and its answer.
  const step = (h, x) =>
    [0, 1].map(j => Math.tanh(x * data.W_x[j] + h[0] * data.W_h[0][j] + h[1] * data.W_h[1][j] + data.b[j]));
  const answer = h => Math.sign(h[0] * data.readout[0] + h[1] * data.readout[1] + data.bias);
  const sign = x => (x > 0 ? "+1" : x < 0 ? "−1" : "?");
  const seen = () => inputs.slice(-WINDOW).findLast(x => x !== 0) ?? 0; // what a window knows
  const silence = () => inputs.length - 1 - inputs.findLastIndex(x => x !== 0);

  function tick(x) {
    inputs.push(x);
    states.push(step(states.at(-1), x));
  }
  data.run.forEach(tick);

  function send(x) {
    sent = performance.now();
    const before = answer(states.at(-1));
    tick(x);
    show();
    const stays = answer(states.at(-1)) === before;
    kit.say(figure, stays ? `${sign(x)} again: it stays in its valley.` : `${sign(x)}: off into the other valley.`);
  }

  /** A sentence that a phone need not break: what is below does not jump. */
  function sayForgotten() {
    kit.say(figure, `The window forgot. The network: ${sign(answer(states.at(-1)))}.`);
  }

  function wait() {
    if (!calm && performance.now() - sent < 0.7 * TICK) return; // a signal has its tick for itself
    tick(0);
    show();
    if (silence() === WINDOW) sayForgotten();
  }

  // ---------------------------------------------------------------- the picture

  const calm = window.matchMedia("(prefers-reduced-motion: reduce)").matches;
  const svg = kit.svg(figure, { width: 640, height: 350, label: figure.dataset.alt });

  /** The square: two valleys, and arrows to where a tick of silence moves a state. */
  function square(box, size) {
    const [left, top, side] = box;
    const axes = kit.axes(svg, { x: [-1, 1], y: [-1, 1], box, ticks: { x: [-1, 1], y: [-1, 1] } });
    const place = ([u, v]) => [axes.x(u), axes.y(v)];
    kit.text(svg, [left + side / 2, top + side + 18], "$h_1$");
    kit.text(svg, [left - 16, top + side / 2 + 5], "$h_2$");

    // The ground of +1's valley reaches from the border far beyond the square, which cuts it.
    const cut = "url(#front-square)";
    const clip = kit.draw(svg, "clipPath", { id: "front-square" });
    kit.draw(clip, "rect", { x: left, y: top, width: side, height: side });
    const across = [0, 1].map(i => data.valleys[1][i] - data.valleys[0][i]);
    const far = [data.border.at(-1), data.border[0]].map(h => [h[0] + 2 * across[0], h[1] + 2 * across[1]]);
    const ground = axes.line([...data.border, ...far]);
    ground.setAttribute("style", `stroke: none; fill: ${tint}`);
    const border = axes.line(data.border, "quiet");
    border.setAttribute("stroke-dasharray", "6 4");
    for (const path of [ground, border]) path.setAttribute("clip-path", cut);

    const arrows = data.places.map((h, i) => {
      const [from, to] = [h, [0, 1].map(j => h[j] + 0.2 * data.moves[i][j])].map(place);
      const angle = Math.atan2(to[1] - from[1], to[0] - from[0]);
      const wing = turn => [to[0] - 4 * Math.cos(angle + turn), to[1] - 4 * Math.sin(angle + turn)];
      return `M${from}L${to}M${wing(0.5)}L${to}L${wing(-0.5)}`;
    });
    kit.draw(svg, "path", { class: "line quiet", d: arrows.join(""), style: "stroke-width: 1; opacity: 0.65" });

    data.valleys.forEach((valley, i) => {
      const [cx, cy] = place(valley);
      kit.draw(svg, "circle", { class: "line", cx, cy, r: 13 });
      const inward = -Math.sign(valley[0]), anchor = inward > 0 ? "start" : "end"; // away from the trail
      const name = kit.text(svg, [cx + 21 * inward, cy + 5], `valley of ${sign(2 * i - 1)}`, "", { anchor, size });
      const halo = i ? tint : "var(--explore-ground)";
      name.setAttribute("style", `paint-order: stroke; stroke: ${halo}; stroke-width: ${size}px; stroke-linejoin: round`);
      name.setAttribute("clip-path", cut);
    });
    const trail = kit.draw(svg, "g");
    const dot = kit.draw(svg, "circle", {
      class: "dots state point", r: 8, style: calm ? null : "transition: cx 0.3s, cy 0.3s" });

    return () => {
      trail.replaceChildren();
      for (let age = Math.min(TRAIL, inputs.length) - 1; age >= 0; age--) {
        const t = inputs.length - 1 - age;
        const way = axes.line([states[t], states[t + 1]], inputs[t] ? "x" : "state");
        way.setAttribute("style", `opacity: ${1 - age / TRAIL}`);
        trail.append(way);
      }
      const [cx, cy] = place(states.at(-1));
      dot.setAttribute("cx", cx);
      dot.setAttribute("cy", cy);
    };
  }

  /** The last inputs, the newest on the right, with a frame around those that the window sees. */
  function tape([left, top, width, height]) {
    const gap = width / TAPE, middle = top + height / 2;
    kit.draw(svg, "path", { class: "line quiet", d: `M${left} ${middle}h${width}`, style: "stroke-width: 1" });
    kit.box(svg, [left + width - WINDOW * gap, top, WINDOW * gap, height], "", "quiet");
    kit.text(svg, [left, top - 6], "inputs", "", { anchor: "start", size: 14 });
    kit.text(svg, [left + width, top - 6], "window", "", { anchor: "end", size: 14 });
    const marks = kit.draw(svg, "g");
    return () => {
      marks.replaceChildren();
      inputs.slice(-TAPE).forEach((x, i, { length }) => {
        const cx = left + width - (length - i - 0.5) * gap;
        const cy = middle - x * (height / 2 - 12);
        kit.draw(marks, "path", { class: "line x", d: `M${cx} ${middle}V${cy}`, style: "stroke-width: 3" });
        kit.draw(marks, "circle", { class: x ? "dots x" : "dots quiet", cx, cy, r: x ? 6 : 2 });
      });
    };
  }

  /** A model's name, and what it says. */
  function card([left, top, width, height], name, classes, says, size) {
    kit.box(svg, [left, top, width, height], "", classes);
    kit.text(svg, [left + 9, top + height / 2 + 5], name, "", { anchor: "start", size: size - 1 });
    const place = [left + width - 9, top + height / 2 + 9];
    const words = kit.text(svg, place, "", `says ${classes}`, { anchor: "end", size: size + 10 });
    words.setAttribute("font-weight", 700);
    return () => kit.retext(words, says());
  }

  /** What the colours mean. */
  function legend([left, top], size) {
    [["x", "thrown by a signal"], ["state", "falling in silence"], ["quiet", "where silence leads"]]
      .forEach(([name, words], i) => {
        const y = top + 21 * i;
        if (name === "quiet") kit.arrow(svg, [left, y], [left + 16, y], name);
        else kit.draw(svg, "path", { class: `line ${name}`, d: `M${left} ${y}h16` });
        kit.text(svg, [left + 22, y + 4], words, "", { anchor: "start", size });
      });
  }

  kit.layout(narrow => {
    kit.resize(svg, narrow ? 360 : 640, narrow ? 288 : 350);
    const [left, width] = narrow ? [214, 144] : [394, 240]; // what stands beside the square
    const size = narrow ? 13 : 16;
    const [first, second] = (narrow ? [[6, 40], [54, 40]] : [[106, 50], [166, 50]])
      .map(([top, height]) => [left, top, width, height]);
    const updates = [
      square(narrow ? [26, 6, 178, 178] : [40, 8, 318, 318], size - 1),
      tape(narrow ? [8, 230, 344, 54] : [left, 22, width, 70]),
      card(first, "window says", "quiet", () => sign(seen()), size),
      card(second, "network says", "state", () => sign(answer(states.at(-1))), size),
    ];
    const count = kit.text(svg, [left + width / 2, narrow ? 118 : 242], "", "count", { size });
    updates.push(() => kit.retext(count, `${silence()} ${silence() === 1 ? "tick" : "ticks"} of silence`));
    legend([left, narrow ? 142 : 283], size - 1);
    show = () => updates.forEach(update => update());
    show();
  });

  // ---------------------------------------------------------------- the hand

  for (const [words, x] of [["← send −1", -1], ["send +1 →", 1]]) {
    kit.button(figure, words, () => send(x)).style.cssText = "border: 2px solid var(--explore-x); font-weight: 600";
  }
  const clock = kit.play(figure, wait, TICK);
  if (!calm) clock.play();
  sayForgotten();

  document.addEventListener("keydown", event => {
    const x = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    const nowhere = event.target === document.body && figure.getBoundingClientRect().bottom > 0;
    const here = nowhere || figure.contains(event.target); // nothing has the focus, or a part of the figure
    if (x && here && !event.altKey && !event.ctrlKey && !event.metaKey) {
      event.preventDefault();
      send(x);
    }
  });
});
