/* The figures of the chapter on the recurrent network. */

const rnnChapter = (() => {
  "use strict";

  /** States h_0 … h_T of one unit without input, and the gradient of each with respect to h_0. */
  function river(w, h_0, T) {
    const h = [h_0], reach = [1];
    for (let t = 0; t < T; t++) {
      h.push(Math.tanh(w * h[t]));
      reach.push(reach[t] * w * (1 - h[t + 1] ** 2));
    }
    return { h, reach };
  }

  /** The loss of one unit with a readout on streams x (each a list of T signals), and its gradient with respect to
      the parameters [w_x, w_h, b, v, c]: the chapter's program for H = 1, with all streams at once. */
  function lossAndGradient([w_x, w_h, b, v, c], x) {
    const N = x.length * x[0].length, gradient = [0, 0, 0, 0, 0];
    let loss = 0;
    for (const stream of x) {
      const target = lastSign(stream), h = [0];
      stream.forEach((x_t, t) => h.push(Math.tanh(x_t * w_x + h[t] * w_h + b)));
      let fromNext = 0;
      for (let t = stream.length - 1; t >= 0; t--) {
        const error = h[t + 1] * v + c - target[t];
        const d_o = (2 * error) / N;
        const da = (1 - h[t + 1] ** 2) * (d_o * v + fromNext);
        [stream[t] * da, h[t] * da, da, h[t + 1] * d_o, d_o].forEach((g, i) => (gradient[i] += g));
        fromNext = da * w_h;
        loss += error ** 2 / N;
      }
    }
    return { loss, gradient };
  }

  /** The last signal so far, at each step of a stream. */
  function lastSign(stream) {
    let last = 0;
    return stream.map(x_t => (last = x_t || last));
  }

  /** The parameters after one step against the gradient, whose length is cut to 1. */
  function descend(params, gradient, lr) {
    const scale = lr * Math.min(1, 1 / Math.hypot(...gradient));
    return params.map((p, i) => p - scale * gradient[i]);
  }

  /** How large |b| may be, so that a unit with w > 1 still has two resting points that attract. */
  function widest(w) {
    const h = Math.sqrt(1 - 1 / w);
    return w * h - Math.atanh(h);
  }

  const SIGN = { "-1": "−", 0: "·", 1: "+" };

  // Be a window: what was the last signal?
  explore.add("recall", (figure, { x, y, window: narrowest, start }, kit) => {
    const STRIDE = 7; // from one question to the next
    let t = start, W = narrowest, open = false;
    let asked = 0, right = 0;
    const svg = kit.svg(figure, { width: 640, height: 110, label: figure.dataset.alt });

    function paint() {
      const cells = 21; // the newest is the last
      const side = kit.narrow ? 16 : 30;
      kit.resize(svg, kit.narrow ? 360 : 640, 104);
      const left = kit.narrow ? 12 : 5;
      for (let i = 0; i < cells; i++) {
        const step = t - cells + 1 + i;
        const seen = open || i >= cells - W;
        const signal = seen && x[step] !== 0;
        kit.box(svg, [left + i * side + 1, 40, side - 2, side + 4], seen ? SIGN[x[step]] : "", signal ? "x" : "quiet", { size: kit.narrow ? 14 : 20 });
      }
      const from = left + (cells - W) * side - 2;
      kit.draw(svg, "rect", { x: from, y: 34, width: W * side + 4, height: side + 16, rx: 8, style: "fill: none; stroke: var(--explore-state); stroke-width: 3" });
      kit.text(svg, [Math.min(from + (W * side) / 2 + 2, left + cells * side - 62), 24], `your window of ${W}`, "", { size: 15 });
      kit.text(svg, [left + cells * side, 100], "now", "", { size: 14, anchor: "end" });
      if (!kit.narrow) kit.text(svg, [left, 100], "earlier", "", { size: 14, anchor: "start" });
    }

    function answer(sign) {
      if (open) return void kit.say(figure, "Press next for another question.");
      asked += 1;
      const good = sign === y[t];
      if (good) right += 1;
      let ago = 0;
      while (x[t - ago] === 0) ago += 1;
      open = true;
      paint();
      const where = ago < W ? "It was in your window" : "Your window was silent, so this was a guess";
      const when = ago === 0 ? "just now" : ago === 1 ? "one step ago" : `${ago} steps ago`;
      const average = Math.round(100 * (1 - 0.95 ** W / 2));
      kit.say(figure, `${good ? "Right" : "Wrong"}: it was a ${y[t] > 0 ? "plus" : "minus"}, ${when}. ${where}. ` +
        `You have ${right} of ${asked} right; in the long run a window of ${W} gets ${average}%.`);
    }

    function next() {
      t = t + STRIDE < x.length ? t + STRIDE : start + ((t + STRIDE) % STRIDE);
      open = false;
      paint();
      kit.say(figure, "Which sign had the last signal?");
    }

    kit.button(figure, "it was +", () => answer(1));
    kit.button(figure, "it was −", () => answer(-1));
    kit.button(figure, "next", next);
    kit.range(figure, { label: "width of your window", min: 1, max: 20, step: 1, value: W, format: String }, width => {
      W = width;
      if (open) return void next(); // it has been answered
      paint();
    });
    kit.layout(paint);
    kit.say(figure, "Which sign had the last signal?");
  });

  // One unit without input: vanishing, exploding, saturation.
  explore.add("river", (figure, { T, w, h_0 }, kit) => {
    const FIRST = [1, 2, 5].flatMap(m => [-4, -3, -2, -1].map(e => m * 10 ** e)).sort((a, b) => a - b).concat(0.9, 1);
    let clip = false;
    const svg = kit.svg(figure, { width: 640, height: 420, label: figure.dataset.alt });
    let draw;

    kit.layout(narrow => {
      const width = narrow ? 360 : 640;
      kit.resize(svg, width, 420);
      const area = (top, height) => [70, top, width - (narrow ? 80 : 84), height];
      const above = kit.axes(svg, { x: [0, T], y: [-0.05, 1.05], ylabel: "state $h_t$", box: area(10, 130), ticks: { x: [], y: [0, 0.5, 1] } });
      const below = kit.axes(svg, { x: [0, T], y: [1e-12, 1e6], log: "y", xlabel: "step $t$", ylabel: "gradient $∂h_t/∂h_0$", box: area(170, 190), ticks: { y: [1e-12, 1e-9, 1e-6, 1e-3, 1, 1e3, 1e6] } });
      const state = above.line([], "state"), bound = below.line([], "quiet"), gradient = below.line([], "grad");
      kit.text(svg, [below.x(0) + 8, 350], "red: gradient", "grad", { size: 14, anchor: "start" });
      kit.text(svg, [below.x(0) + 8, 330], "grey: its bound, $w^t$", "quiet", { size: 14, anchor: "start" });
      draw = () => {
        const { h, reach } = river(w, h_0, T);
        const points = values => values.map((v, t) => [t, v]);
        above.update(state, points(h));
        below.update(bound, points(h.map((_, t) => w ** t)));
        below.update(gradient, points(clip ? reach.map(v => Math.min(v, 1)) : reach));
        const top = reach.reduce((best, v, t) => (v > reach[best] ? t : best), 0);
        const last = clip ? Math.min(reach[T], 1) : reach[T];
        const grown = reach[top] > 1.001 ? `The gradient grows to ${kit.number(reach[top])} at step ${top}` : "The gradient never grows";
        kit.say(figure, `${grown}${clip && reach[top] > 1 ? ", and is cut to 1" : ""}; after ${T} steps ${kit.number(last)} is left. The state ends at ${kit.number(h[T])}.`);
      };
      draw();
    });

    const weight = kit.range(figure, { label: "recurrent weight $w$", min: 0.1, max: 3, step: 0.05, value: w }, v => {
      w = v;
      draw();
    });
    const first = kit.range(figure, { label: "first state $h_0$", min: 0, max: FIRST.length - 1, step: 1, value: FIRST.indexOf(h_0), format: i => kit.number(FIRST[i]) }, i => {
      h_0 = FIRST[i];
      draw();
    });
    const visit = (name, at, from) => kit.button(figure, name, () => {
      w = at;
      h_0 = from;
      weight.show(w);
      first.show(FIRST.indexOf(h_0));
      draw();
    });
    visit("vanishing", 0.5, 0.9);
    visit("exploding", 2, 1e-4);
    visit("saturation", 2, 0.9);
    const toggle = kit.button(figure, "clip at 1", () => {
      clip = !clip;
      toggle.setAttribute("aria-pressed", clip);
      draw();
    });
    toggle.setAttribute("aria-pressed", false);
  });

  // Watch one unit learn.
  explore.add("train", (figure, { x, starts, lrs, steps }, kit) => {
    const streams = x.map(stream => [...stream].map(sign => ({ "+": 1, "-": -1 })[sign] ?? 0));
    const atOnce = window.matchMedia("(prefers-reduced-motion: reduce)").matches ? 21 : 3; // steps of training a tick; odd, to show what jumps to and fro
    const wild = () => history.length > 1 && Math.abs(history.at(-1)[0] - history.at(-2)[0]) > 0.05;
    let start = 0, lr = lrs[1];
    let params, history; // history: [loss, w_h] before each step
    let draw;
    const svg = kit.svg(figure, { width: 640, height: 350, label: figure.dataset.alt });

    kit.layout(narrow => {
      kit.resize(svg, narrow ? 360 : 640, narrow ? 430 : 350);
      const width = narrow ? 278 : 240, height = narrow ? 88 : 150;
      const tall = narrow ? 126 : 0; // from one plot to the one below it
      const loss = kit.axes(svg, { x: [0, steps], y: [0, 2.4], ylabel: "loss", box: [64, 8, width, height], xlabel: narrow ? "" : "step of training", ticks: { y: [0, 1, 2], ...(narrow && { x: [] }) } });
      const weight = kit.axes(svg, { x: [0, steps], y: [-1, 2], ylabel: "$w_h$", box: [narrow ? 64 : 390, 8 + tall, width, height], xlabel: "step of training", ticks: { y: [-1, 0, 1, 2] } });
      const border = weight.line([[0, 1], [steps, 1]], "quiet");
      border.setAttribute("stroke-dasharray", "6 4");
      kit.text(svg, [weight.x(steps) - 4, weight.y(1) + 17], "↑ two valleys, if $b$ is small", "quiet", { size: 14, anchor: "end" });
      const losses = loss.line([], "ink"), weights = weight.line([], "state");

      const T = streams[0].length;
      const out = kit.axes(svg, { x: [0.5, T], y: [-1.6, 1.6], box: [64, narrow ? 300 : 240, narrow ? 278 : 566, narrow ? 70 : 62], xlabel: "step $t$ of a stream", ticks: { y: [-1, 1] } });
      kit.text(svg, [64, out.y(1.6) - 7], narrow ? "blue: signals, orange: answers" : "blue: signals, orange: answers, which should be ±1 as the last signal was", "", { size: 14, anchor: "start" });
      streams[0].forEach((x_t, t) => {
        if (x_t) out.line([[t + 1, 0], [t + 1, x_t]], "x").setAttribute("style", "stroke-width: 3");
      });
      out.line([[0, 0], [T, 0]], "quiet").setAttribute("style", "stroke-width: 1");
      out.dots(streams[0].flatMap((x_t, t) => (x_t ? [[t + 1, x_t]] : [])), "x", 5);
      const answers = out.line([], "state");
      draw = () => {
        loss.update(losses, history.map(([value], i) => [i, value]));
        weight.update(weights, history.map(([, value], i) => [i, value]));
        const [w_x, w_h, b, v, c] = params;
        let h = 0;
        out.update(answers, streams[0].map((x_t, t) => [t + 1, (h = Math.tanh(x_t * w_x + h * w_h + b)) * v + c]));
      };
      if (params) draw();
    });

    function learn() {
      const { loss, gradient } = lossAndGradient(params, streams);
      history.push([loss, params[1]]);
      if (history.length <= steps) params = descend(params, gradient, lr);
    }

    function tell() {
      const [loss, w_h] = history.at(-1), b = params[2];
      const how = loss < 0.05 ? "It has learnt the game"
        : loss > 1.05 && lr === lrs.at(-1) ? "All answers jump up and down"
        : w_h <= 1 ? "It has not learnt the game: what it has seen fades"
        : Math.abs(b) > widest(w_h) ? `There is only one valley: $b$ = ${kit.number(b)} has wiped out the other`
        : "Two valleys, but shallow ones";
      kit.say(figure, `Step ${history.length - 1}: loss ${kit.number(loss)}, $w_h$ = ${kit.number(w_h)}. ${how}.`);
    }

    function begin() {
      params = starts[start];
      history = [];
      learn();
    }

    function again() {
      clock.pause();
      begin();
      draw();
      tell();
    }

    const clock = kit.play(figure, () => {
      if (history.length > steps) begin();
      for (let i = wild() ? 1 : atOnce; i > 0 && history.length <= steps; i--) learn();
      draw();
      tell();
      return history.length <= steps;
    }, 50);
    kit.button(figure, "other first weights", () => {
      start = (start + 1) % starts.length;
      again();
    });
    kit.choice(figure, "size of a step, $η$:", lrs.map(value => [value, String(value)]), value => {
      lr = value;
      again();
    }, lr);
    again();
  });

  return { river, lossAndGradient, descend };
})();
