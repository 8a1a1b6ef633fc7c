/* The figures of the chapter on state space models. */

const ssmChapter = (() => {
  "use strict";

  const { span, number, whole } = explore.kit;
  const upTo = n => [...Array(n).keys()];
  const sum = numbers => numbers.reduce((total, n) => total + n, 0);

  // ---------------------------------------------------------------- a spring, and three ways to step it

  /** e^{At} of the spring p″ = −k p − c p′ + u, whose state is position and speed: A = [[0, 1], [−k, −c]]. */
  function flow(k, c, t) {
    const q = c * c / 4 - k, w = Math.sqrt(Math.abs(q)), fade = Math.exp(-c * t / 2);
    const [C, S] = q < 0 ? [Math.cos(w * t), Math.sin(w * t) / w] : q > 0 ? [Math.cosh(w * t), Math.sinh(w * t) / w] : [1, t];
    return [[fade * (C + S * c / 2), fade * S], [-fade * S * k, fade * (C - S * c / 2)]];
  }

  /** Ā and B̄ of one step of Δ = d, by each rule: h ← Ā h + B̄ u. */
  const RULES = {
    euler: (k, c, d) => ({ A: [[1, d], [-d * k, 1 - d * c]], B: [0, d] }),
    zoh: (k, c, d) => {
      const A = flow(k, c, d);
      return { A, B: [(1 - A[1][1] - c * A[0][1]) / k, A[0][1]] }; // A⁻¹ (Ā − I) B
    },
    bilinear: (k, c, d) => {
      const D = 1 + c * d / 2 + k * d * d / 4;
      return { A: [[(1 + c * d / 2 - k * d * d / 4) / D, d / D], [-k * d / D, (1 - c * d / 2 - k * d * d / 4) / D]],
        B: [d * d / 2 / D, d / D] };
    },
  };
  /** Name, colour and radius; the hold's points come last, so that one sees them on the true curve. */
  const LOOKS = { euler: ["Euler", "gate", 4], bilinear: ["bilinear", "new", 4], zoh: ["zero-order hold", "x", 2.75] };
  const KEY = [["— true", "state"], ["● Euler", "gate"], ["● bilinear", "new"], ["● hold", "x"]];

  /** Positions after 0 … n steps from the state [p, v], under a steady force u. */
  function run(rule, { k, c, dt }, n, [p, v], u = 0) {
    const { A, B } = RULES[rule](k, c, dt), positions = [p];
    for (let t = 0; t < n; t++) {
      [p, v] = [A[0][0] * p + A[0][1] * v + B[0] * u, A[1][0] * p + A[1][1] * v + B[1] * u];
      positions.push(p);
    }
    return positions;
  }

  /** The true position at a time, from the state [p, v], under a steady force. */
  function position({ k, c }, time, [p, v], u = 0) {
    const [[a, b]] = flow(k, c, time);
    return u / k + a * (p - u / k) + b * v;
  }

  /** The two eigenvalues [re, im] of Ā, that with the larger size, or with im > 0, first. */
  function eigenvalues(rule, { k, c, dt }) {
    const [[a, b], [e, d]] = RULES[rule](k, c, dt).A, half = (a + d) / 2, q = half * half - (a * d - b * e), w = Math.sqrt(Math.abs(q));
    if (q < 0) return [[half, w], [half, -w]];
    return [[half + w, 0], [half - w, 0]].sort((one, other) => Math.abs(other[0]) - Math.abs(one[0]));
  }

  /** By how much a step makes the swing wider, in the long run. */
  const growth = (rule, spring) => Math.hypot(...eigenvalues(rule, spring)[0]);

  /** A factor; near 1 with two digits of what it is more or less than 1. */
  function factor(n) {
    const beyond = Math.abs(n - 1);
    return beyond > 1e-9 && beyond < 0.01 ? String(+n.toFixed(1 - Math.floor(Math.log10(beyond)))) : number(n);
  }

  /** Euler is stable for Δ below this. */
  const limit = ({ k, c }) => (c * c < 4 * k ? c / k : 4 / (c + Math.sqrt(c * c - 4 * k)));

  /** Words in their colours, from left to right. */
  function legend(kit, svg, [x, y], pairs) {
    const line = kit.text(svg, [x, y], "", "", { size: 14, anchor: "start" });
    line.append(...pairs.flatMap(([words, colour]) => {
      const piece = kit.draw(line, "tspan", { class: colour, style: "fill: var(--pen)" });
      piece.textContent = words;
      return [piece, "\u00a0\u00a0 "];
    }));
  }

  /** What is below a sentence must not jump: its lines on a wide page and on a phone. */
  const room = (kit, figure, wide, phone) =>
    kit.layout(narrow => (figure.querySelector(".explore-say").style.minHeight = `${1.65 * (narrow ? phone : wide)}em`));

  /** What one step makes of a swing. */
  function told(spring) {
    const [euler, zoh, bilinear] = ["euler", "zoh", "bilinear"].map(rule => growth(rule, spring)), most = number(limit(spring));
    const end = Math.abs(euler - 1) < 1e-9 ? `swings for ever (Δ is ${most})` : euler < 1 ? `comes to rest (Δ is below ${most})`
      : spring.c ? `explodes (Δ is not below ${most})` : "explodes at any Δ";
    return `One step multiplies the swing by ${whole(factor(euler))} with Euler, which ${end}; by ${factor(zoh)} with the hold, as the spring does; ` +
      `by ${factor(bilinear)} with bilinear`;
  }

  // A mass on a spring that is pulled and let go, and what three rules make of its swing.
  explore.add("spring", (figure, { k, c, dt, T = 8 * Math.PI / Math.sqrt(k) }, kit) => {
    const now = { pull: 1, k, c, dt, obeys: "true", time: 0 }, far = 1.5, less = window.matchMedia("(prefers-reduced-motion: reduce)");
    const svg = kit.svg(figure, { label: figure.dataset.alt });
    let curves, place, found; // found: every rule's positions

    /** The position of who moves the mass; between two steps of a rule, on the drawn line. */
    function moved() {
      if (now.obeys === "true") return position(now, now.time, [now.pull, 0]);
      const points = found[now.obeys], t = Math.min(points.length - 2, Math.floor(now.time / now.dt)), part = now.time / now.dt - t;
      return (1 - part) * points[t] + part * points[t + 1];
    }

    kit.layout(narrow => {
      const [width, height, middle] = narrow ? [360, 270, 32] : [640, 300, 52], left = 2 * middle + (narrow ? 34 : 40);
      kit.resize(svg, width, height);
      const axes = kit.axes(svg, { x: [0, T], y: [-far, far], box: [left, 30, width - left - 8, height - 74], xlabel: "seconds →", ticks: { y: [-1, 0, 1] } });
      legend(kit, svg, [left, 17], KEY);
      const truth = axes.line([], "state"), lines = {}, dots = {};
      for (const [rule, [, colour, r]] of Object.entries(LOOKS)) [lines[rule], dots[rule]] = [axes.line([], colour), axes.dots([], colour, r)];
      const thread = kit.draw(svg, "path", { class: "line quiet", style: "stroke-width: 1; stroke-dasharray: 2 4" });
      const dot = kit.draw(svg, "circle", { r: 6, style: "fill: var(--explore-ground); stroke: var(--pen); stroke-width: 3" });
      kit.draw(svg, "path", { class: "line", style: "stroke-width: 4", d: `M${middle - 22} 2h44` });
      const coil = kit.draw(svg, "path", { class: "line quiet" });
      const mass = kit.draw(svg, "rect", { x: middle - 24, width: 48, height: 28, rx: 6,
        style: "fill: color-mix(in srgb, var(--pen) 22%, var(--explore-ground)); stroke: var(--pen); stroke-width: 2.5" });
      const value = kit.text(svg, [middle, 0], "", "explore-mass", { size: 14 });
      value.style.pointerEvents = "none";

      curves = () => {
        found = Object.fromEntries(Object.keys(LOOKS).map(rule => [rule, run(rule, now, Math.ceil(T / now.dt), [now.pull, 0])]));
        axes.update(truth, span(0, T, 400).map(time => [time, position(now, time, [now.pull, 0])]));
        truth.style.strokeWidth = now.obeys === "true" ? 3 : 2;
        for (const [rule, points] of Object.entries(found)) {
          const placed = points.map((p, t) => [t * now.dt, p]);
          axes.update(lines[rule], placed).style.strokeWidth = rule === now.obeys ? 2.5 : 1;
          axes.update(dots[rule], placed.length > 150 ? [] : placed);
        }
      };
      place = () => {
        const p = moved(), [x, y] = [axes.x(now.time), axes.y(Math.min(far, Math.max(-far, p)))], colour = LOOKS[now.obeys]?.[1] ?? "state";
        const zigzag = upTo(9).map(i => `L${middle + (i % 2 ? 11 : -11)} ${(6 + ((y - 24) * (i + 0.5)) / 9).toFixed(1)}`);
        coil.setAttribute("d", `M${middle} 2V6${zigzag.join("")}L${middle} ${y - 18}V${y - 14}`);
        mass.setAttribute("class", `${colour} handle`);
        mass.setAttribute("y", y - 14);
        value.setAttribute("y", y + 5);
        kit.retext(value, Math.abs(p) < 100 ? number(+p.toFixed(3), 2) : p > 0 ? "↑ ↑ ↑" : "↓ ↓ ↓");
        for (const [name, at] of [["class", colour], ["cx", x], ["cy", y]]) dot.setAttribute(name, at);
        thread.setAttribute("d", `M${middle + 24} ${y}H${x}`);
      };
      curves();
      place();
      kit.drag(mass, ([, y]) => {
        pull.show(Math.min(1, Math.max(-1, axes.y.inverse(y))));
        hold(+pull.value);
        show();
      }, { label: "the mass", keys: 0.1 * (axes.y(0) - axes.y(1)), value: () => `pulled to ${number(now.pull)}` });
      mass.addEventListener("pointerup", () => less.matches || clock.play()); // let go
    });

    /** Hold the mass here, at time 0. */
    function hold(at) {
      clock.pause();
      Object.assign(now, { pull: at, time: 0 });
    }

    function show() {
      curves();
      place();
      const [[re, im]] = eigenvalues("bilinear", now), slow = (Math.sqrt(k - now.c ** 2 / 4) * now.dt) / Math.atan2(im, re);
      kit.say(figure, `${told(now)}, whose swings take ${factor(slow)} times as long.`);
    }

    const slider = (label, [min, max, step], value, change, colour) => {
      const row = kit.narrow ? (label === "pull" ? 1 : 2) : 3;
      return kit.range(figure, { label, min, max, step, value, colour, row }, to => {
        change(to);
        show();
      });
    };
    kit.choice(figure, "The mass obeys", [["true", "the spring"], ...["euler", "zoh", "bilinear"].map(rule => [rule, LOOKS[rule][0]])], to => {
      now.obeys = to;
      show();
    });
    const pull = slider("pull", [-1, 1, 0.05], 1, hold, "state");
    slider("step $Δ$", [0.01, +(1.5 / Math.sqrt(k)).toFixed(2), 0.01], dt, to => (now.dt = to));
    slider("friction $c$", [0, +Math.sqrt(k).toFixed(1), 0.05], c, to => (now.c = to));
    const clock = kit.play(figure, () => {
      if (now.time >= T) now.time = 0;
      now.time = Math.min(T, now.time + (less.matches ? now.dt : T / 300));
      place();
      return now.time < T;
    }, 40);
    kit.say(figure, "Pull the mass, and let go. And then let Euler move it.");
    room(kit, figure, 3, 6);
  });

  // ---------------------------------------------------------------- three rules beside each other

  explore.add("discretise", (figure, { k, c, dt, T }, kit) => {
    const now = { k, c, dt }, svg = kit.svg(figure, { label: figure.dataset.alt });
    const pushed = [[0, 0], k]; // from rest, by a steady force that holds the mass at 1 in the end
    let narrow;

    function draw() {
      const width = narrow ? 360 : 640;
      kit.resize(svg, width, narrow ? 444 : 296);
      const box = narrow ? [34, 28, 318, 160] : [34, 28, 340, 218], side = narrow ? 150 : 200;
      const n = Math.ceil(T / now.dt), rules = Object.entries(LOOKS);
      legend(kit, svg, [box[0], 16], KEY);
      const axes = kit.axes(svg, { x: [0, T], y: [-0.4, 2.4], box, xlabel: "seconds →", ticks: { y: [0, 1, 2] } });
      axes.line(span(0, T, 400).map(time => [time, position(now, time, ...pushed)]), "state").style.strokeWidth = 3;
      for (const [rule, [, colour, r]] of rules) {
        const points = run(rule, now, n, ...pushed).map((p, t) => [t * now.dt, p]);
        const line = axes.line(points, colour);
        line.style.strokeWidth = 1.25;
        line.dataset.rule = rule;
        if (n <= 120) axes.dots(points, colour, n > 60 ? 2.5 : r);
      }

      const all = rules.map(([rule]) => eigenvalues(rule, now)), reach = Math.max(1.3, 1.15 * Math.max(...all.flat(2).map(Math.abs)));
      const at = narrow ? [105, 268, side, side] : [width - side - 12, 28, side, side];
      const plane = kit.axes(svg, { x: [-reach, reach], y: [-reach, reach], box: at, ticks: { x: [-1, 0, 1], y: [-1, 0, 1] } });
      kit.text(svg, [at[0] + side / 2, at[1] - 9], "eigenvalues of $Ā$", "", { size: 14 });
      const ring = span(0, 2 * Math.PI, 90).map(turn => [Math.cos(turn), Math.sin(turn)]);
      plane.line(ring, "quiet").style.fill = "color-mix(in srgb, var(--explore-quiet) 12%, transparent)";
      rules.forEach(([rule, [, colour, r]], i) => {
        for (const which of [0, 1]) { // from Δ = 0 to here
          const way = span(0, now.dt, 60).slice(1).map(d => eigenvalues(rule, { k, c, dt: d })[which]);
          plane.line(way, colour).style.strokeWidth = 1;
        }
        plane.dots(all[i], colour, r + 1.5).dataset.rule = rule;
      });
      kit.say(figure, `${told(now)}.`);
    }

    kit.range(figure, { label: "step $Δ$", min: 0.01, max: +(2 / Math.sqrt(k)).toFixed(2), step: 0.005, value: dt }, to => {
      now.dt = to;
      draw();
    });
    kit.layout(small => {
      narrow = small;
      draw();
    });
    room(kit, figure, 3, 5);
  });

  // ---------------------------------------------------------------- a kernel and its poles

  /** A pair of poles re ± i·im, sampled every dt: Re Ā^t for t < n, and what there is to tell of it. */
  function kernel(re, im, dt, n) {
    const turn = 2 * Math.PI, angle = Math.abs(im) * dt, seen = Math.abs(angle - turn * Math.round(angle / turn));
    return {
      values: upTo(n).map(t => Math.exp(re * dt * t) * Math.cos(im * dt * t)),
      half: Math.LN2 / (-re * dt), period: turn / angle, aliased: angle > Math.PI * (1 + 1e-12), seen: seen / dt,
    };
  }

  explore.add("kernel", (figure, { pole, dt }, kit) => {
    const n = 32, top = (1.5 * Math.PI) / dt, deep = Math.max(0.5 / dt, -1.25 * pole[0]), fine = v => +v.toPrecision(3);
    const svg = kit.svg(figure, { label: figure.dataset.alt }), now = { re: pole[0], im: pole[1] };
    let update;

    kit.layout(narrow => {
      kit.resize(svg, narrow ? 360 : 640, narrow ? 436 : 300);
      const plane = kit.axes(svg, { x: [-deep, 0.12 * deep], y: [-top, top], box: narrow ? [46, 26, 306, 170] : [46, 26, 210, 216], xlabel: "Re $λ$ →", ticks: { y: [0] } });
      const axes = kit.axes(svg, { x: [0, n], y: [-1.1, 1.1], box: narrow ? [46, 262, 306, 132] : [316, 26, 316, 216], xlabel: "steps →", ticks: { y: [-1, 0, 1] } });
      const [left, above, w, h] = plane.box, edge = Math.PI / dt;
      kit.text(svg, [left, above - 10], "Im $λ$ ↑", "", { size: 14, anchor: "start" });
      kit.text(svg, [axes.box[0], axes.box[1] - 10], "kernel", "", { size: 14, anchor: "start" });
      kit.draw(svg, "path", { class: "line quiet", d: `M${plane.x(0)} ${above}v${h}M${left} ${plane.y(0)}h${w}`, style: "stroke-width: 1.5" });
      for (const sign of [-1, 1]) {
        const far = plane.y(sign * edge), end = sign > 0 ? above : above + h;
        kit.draw(svg, "rect", { x: left, y: Math.min(far, end), width: w, height: Math.abs(end - far), style: "fill: var(--explore-grad); opacity: 0.1" });
        kit.text(svg, [left - 7, far + 5], sign > 0 ? "π/Δ" : "−π/Δ", "", { size: 14, anchor: "end" });
        kit.text(svg, [left + 6, sign > 0 ? far - 7 : far + 17], sign > 0 ? "too fast for Δ" : "", "", { size: 14, anchor: "start" });
      }
      const guise = axes.line([], "new"), wave = axes.line([], "state"), dots = axes.dots([], "x", narrow ? 3 : 3.5);
      guise.style.strokeDasharray = "7 4";
      const handles = [1, -1].map(sign => kit.draw(svg, "circle", { class: "state", r: 10, "data-sign": sign,
        style: `fill: ${sign > 0 ? "var(--pen)" : "color-mix(in srgb, var(--pen) 45%, var(--explore-ground))"}; stroke: transparent; stroke-width: 14` }));

      update = () => {
        const { re, im } = now, { values, aliased, seen, half, period } = kernel(re, im, dt, n);
        const curve = w => span(0, n, 1500).map(t => [t, Math.exp(re * dt * t) * Math.cos(w * dt * t)]);
        axes.update(wave, curve(im));
        Object.assign(wave.style, aliased ? { strokeWidth: 1.25, opacity: 0.7 } : { strokeWidth: 2, opacity: 1 });
        axes.update(guise, aliased ? curve(seen) : []);
        axes.update(dots, values.map((value, t) => [t, value]));
        handles.forEach((handle, i) => {
          handle.setAttribute("cx", plane.x(re));
          handle.setAttribute("cy", plane.y(i ? -im : im));
        });
        const life = `It halves every ${whole(`${number(half)} steps`)}`;
        kit.say(figure, aliased ? `${life}. Aliasing: Δ · Im = ${number(im * dt)} > π, more than half a turn from dot to dot. ` +
          `The dots cannot be told from those of a pole at Im ${number(seen)}, dashed green.`
          : im === 0 ? `${life}, and does not swing: the poles have met.`
          : `${life} and swings once in ${whole(`${number(period)} steps`)}: Δ · Im = ${number(im * dt)}, below π.`);
      };
      update();
      handles.forEach((handle, i) => kit.drag(handle, ([x, y]) => {
        set(plane.x.inverse(x), plane.y.inverse(y) * (i ? -1 : 1));
        real.show(now.re);
        imaginary.show(now.im);
      }, { label: i ? "the pole's mirror image" : "the pole", value: () => `${number(now.re)} ${i ? "−" : "+"} ${number(now.im)} i` }));
    });

    /** Move the pole, and its mirror image with it, within the left half plane. */
    function set(re, im) {
      now.re = fine(Math.min(-0.02 * deep, Math.max(-deep, re)));
      now.im = fine(Math.min(top, Math.max(0, im)));
      update();
    }

    const real = kit.range(figure, { label: "Re $λ$", min: fine(-deep), max: fine(-0.02 * deep), step: "any", value: now.re, colour: "state", row: 2 }, to => set(to, now.im));
    const imaginary = kit.range(figure, { label: "Im $λ$", min: 0, max: fine(top), step: "any", value: now.im, colour: "state", row: 2 }, to => set(now.re, to));
    room(kit, figure, 3, 5);
  });

  // ---------------------------------------------------------------- the best polynomial of the past

  /** P_0(x) … P_N(x), Legendre's polynomials. */
  function legendre(N, x) {
    const P = [1, x];
    for (let n = 1; n < N; n++) P.push(((2 * n + 1) * x * P[n] - n * P[n - 1]) / (n + 1));
    return P.slice(0, N + 1);
  }

  /** The N coefficients of a past whose values are held for a step each: c_n = √(2n+1) · mean of f P_n over the past. */
  function project(past, N) {
    const T = past.length, c = Array(N).fill(0);
    const integrals = x => { // of P_n, from −1 to x
      const P = legendre(N, x);
      return upTo(N).map(n => (n ? (P[n + 1] - P[n - 1]) / (2 * n + 1) : x + 1));
    };
    let before = integrals(-1);
    past.forEach((value, t) => {
      const after = integrals((2 * (t + 1)) / T - 1);
      for (let n = 0; n < N; n++) c[n] += (value * (after[n] - before[n]) * Math.sqrt(2 * n + 1)) / 2;
      before = after;
    });
    return c;
  }

  /** The polynomial with these coefficients at x from −1 (the beginning) to 1 (now). */
  const polynomial = (c, x) => legendre(c.length, x).slice(0, c.length).reduce((total, P, n) => total + c[n] * Math.sqrt(2 * n + 1) * P, 0);

  /** Root mean squares of the past and of what the polynomial misses (by Parseval). */
  function miss(past, c) {
    const power = sum(past.map(v => v * v)) / past.length;
    return { size: Math.sqrt(power), error: Math.sqrt(Math.max(0, power - sum(c.map(v => v * v)))) };
  }

  explore.add("hippo", (figure, { signal, N }, kit) => {
    const svg = kit.svg(figure, { label: figure.dataset.alt }), most = 32, T = signal.length;
    const high = 1.25 * Math.max(...signal.map(Math.abs)), now = { t: Math.round(T / 2), N };
    const tall = 1.1 * Math.max(...upTo(T).filter(t => t % 5 === 4).flatMap(t => project(signal.slice(0, t + 1), most).map(Math.abs)));
    let update, told;

    kit.layout(narrow => {
      const width = narrow ? 360 : 640;
      kit.resize(svg, width, 352);
      const across = [44, width - 60];
      const axes = kit.axes(svg, { x: [0, T], y: [-high, high], box: [across[0], 24, across[1], 170], xlabel: "steps →" });
      legend(kit, svg, [across[0], 15], [["— past", "x"], ["— the polynomial", "state"]]);
      const bars = kit.axes(svg, { x: [0, most], y: [-tall, tall], box: [across[0], 262, across[1], 66], ticks: { x: [0, 8, 16, 24, 32], y: [0] } });
      kit.text(svg, [across[0], 255], "the state: $N$ coefficients", "", { size: 14, anchor: "start" });
      const held = (from, to) => signal.slice(from, to).flatMap((v, i) => [[from + i, v], [from + i + 1, v]]);
      const later = axes.line([], "quiet"), past = axes.line([], "x"), best = axes.line([], "state");
      Object.assign(later.style, { strokeWidth: 1, opacity: 0.55 });
      best.style.strokeWidth = 3;
      const here = kit.draw(svg, "path", { class: "line", style: "stroke-width: 1.5" });
      const group = kit.draw(svg, "g", { class: "state", style: "fill: var(--pen)" });

      update = () => {
        const heard = signal.slice(0, now.t), c = project(heard, now.N), { size, error } = miss(heard, c);
        axes.update(past, held(0, now.t));
        axes.update(later, held(now.t, T));
        axes.update(best, span(-1, 1, 400).map(x => [((x + 1) / 2) * now.t, polynomial(c, x)]));
        here.setAttribute("d", `M${axes.x(now.t)} 24v170`);
        group.replaceChildren(...c.map((value, n) => kit.draw(group, "rect", { x: bars.x(n + 0.14), width: 0.72 * (bars.x(1) - bars.x(0)),
          y: Math.min(bars.y(0), bars.y(value)), height: Math.abs(bars.y(value) - bars.y(0)) })));
        told = `${now.t} steps, kept in ${now.N} ${now.N === 1 ? "number" : "numbers"}. Error of the polynomial: ${number(+error.toFixed(4))} ` +
          `(root mean square)${size ? `, ${number(+((100 * error) / size).toFixed(1), 2)} % of the past's own ${number(size)}` : ""}.`;
      };
      update();
    });

    function show() {
      update();
      kit.say(figure, told);
    }

    const time = kit.range(figure, { label: "time", min: 1, max: T, step: 1, value: now.t, colour: "x", row: 2 }, to => {
      clock.pause();
      now.t = to;
      show();
    });
    kit.range(figure, { label: "numbers $N$", min: 1, max: most, step: 1, value: N, colour: "state", row: 2 }, to => {
      now.N = to;
      show();
    });
    const clock = kit.play(figure, () => {
      now.t = now.t === T ? 1 : now.t + 1;
      time.show(now.t);
      show();
      return now.t < T;
    }, 60);
    show();
    room(kit, figure, 2, 4);
  });

  return { RULES, flow, run, position, eigenvalues, growth, limit, kernel, legendre, project, polynomial, miss };
})();
