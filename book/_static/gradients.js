/* The figures of the chapter on gradients through time. */

const gradientsChapter = (() => {
  "use strict";

  /** The row vector v times the 2 × 2 matrix W. */
  const times = ([u, v], [[a, b], [c, d]]) => [u * a + v * c, u * b + v * d];

  /** The norm of a 2 × 2 matrix: its largest singular value. */
  function norm([[a, b], [c, d]]) {
    const sum = a * a + b * b + c * c + d * d, det = a * d - b * c;
    return Math.sqrt((sum + Math.sqrt(Math.max(0, sum * sum - 4 * det * det))) / 2);
  }

  /** A matrix with these eigenvalues: [re, im] for the pair re ± i·im, or two real ones. Its two other entries
      differ by `shear`: 0 makes it normal. */
  function matrix(kind, [first, second], shear) {
    if (kind === "real") return [[first, shear], [0, second]];
    const root = Math.hypot(shear / 2, second);
    return [[first, shear / 2 + root], [shear / 2 - root, first]];
  }

  /** States h_0 … h_T of two units without input, and the norm of ∂h_t/∂h_0. */
  function matrixRiver(W, h_0, T, tanh) {
    const h = [h_0], reach = [1];
    let jacobian = [[1, 0], [0, 1]];
    for (let t = 0; t < T; t++) {
      const a = times(h[t], W);
      const next = tanh ? a.map(Math.tanh) : a;
      const slope = tanh ? next.map(v => 1 - v * v) : [1, 1];
      jacobian = jacobian.map(row => times(row, W).map((v, i) => v * slope[i]));
      h.push(next);
      reach.push(norm(jacobian));
    }
    return { h, reach };
  }

  /** The loss (h_T − target)² of one unit h_t = tanh(w h_{t−1} + b), and its gradient with respect to w and b. */
  function cliff(w, b, { T, h_0, target }) {
    let h = h_0, dw = 0, db = 0;
    for (let t = 0; t < T; t++) {
      const before = h;
      h = Math.tanh(w * h + b);
      const slope = 1 - h * h;
      [dw, db] = [slope * (before + w * dw), slope * (1 + w * db)];
    }
    const error = h - target;
    return { loss: error * error, gradient: [2 * error * dw, 2 * error * db] };
  }

  /** A gradient, clipped: how is "none", "norm" or "value". */
  function clip(gradient, how, longest) {
    if (how === "none") return gradient;
    if (how === "value") return gradient.map(g => Math.max(-longest, Math.min(longest, g)));
    const length = Math.hypot(...gradient);
    return length > longest ? gradient.map(g => (g * longest) / length) : gradient;
  }

  // All eigenvalues are 0. What does a tanh do to the gradient?
  explore.add("gradients-hook", (figure, { linear, tanh }, kit) => {
    const remarks = {
      sooner: "It seems so: each slope of the tanh is at most 1, so each factor can only get smaller. And yet",
      slowly: "Not bad: something is left. But it does not fade. In fact",
      explodes: "Yes:",
    };
    let guess = null, draw;
    const svg = kit.svg(figure, { width: 640, height: 260, label: figure.dataset.alt });
    kit.layout(narrow => {
      const [width, height] = narrow ? [360, 200] : [640, 260];
      kit.resize(svg, width, height);
      const axes = kit.axes(svg, { x: [0, linear.length - 1], y: [1e-3, 1e12], log: "y", xlabel: "steps", ylabel: "size of the gradient", box: [70, 10, width - 84, height - 68], ticks: { y: [1e-3, 1, 1e3, 1e6, 1e9, 1e12] } });
      const points = values => values.map((v, t) => [t, v]);
      axes.line(points(linear.map(v => v || 1e-30)), "x");
      axes.dots(points(linear).slice(0, 2), "x", 5);
      kit.text(svg, [axes.x(2.2), axes.y(0.02)], "without tanh: gone", "x", { size: 15, anchor: "start" });
      const curve = axes.line([], "grad");
      const label = kit.text(svg, [axes.x(17), axes.y(2e9)], "", "grad", { size: 15, anchor: "end" });
      draw = () => {
        axes.update(curve, guess ? points(tanh) : []);
        kit.retext(label, guess ? "with tanh" : "");
      };
      draw();
    });
    const answer = (name, words) => kit.button(figure, words, () => {
      guess = name;
      draw();
      kit.say(figure, `${remarks[name]} with the tanh the gradient doubles at each step. After ${tanh.length - 1} steps it is ${(tanh.at(-1) / 1e9).toFixed(1)} billion.`);
    });
    answer("sooner", "it is gone even sooner");
    answer("slowly", "it fades slowly");
    answer("explodes", "it explodes");
    kit.say(figure, "Now a tanh stands between the steps. What becomes of the gradient?");
  });

  // Drag the eigenvalues of a 2 × 2 matrix: state and gradient.
  explore.add("gradients-river", (figure, { T, h_0, first }, kit) => {
    const REACH = 1.5; // of the complex plane
    let { kind, values, shear, tanh } = structuredClone(first);
    let paint = () => {};
    const clamp = v => Math.max(-REACH, Math.min(REACH, v));
    const round = v => Math.round(clamp(v) * 100) / 100;
    const svg = kit.svg(figure, { width: 640, height: 400, label: figure.dataset.alt });

    kit.layout(narrow => {
      kit.resize(svg, narrow ? 360 : 640, narrow ? 470 : 340);
      const side = narrow ? 160 : 236;
      const plane = kit.axes(svg, { x: [-REACH, REACH], y: [-REACH, REACH], xlabel: "real part", ylabel: "imaginary part", box: [narrow ? 110 : 58, 14, side, side], ticks: { x: [-1, 0, 1], y: [-1, 0, 1] } });
      const circle = kit.span(0, 2 * Math.PI, 73).map(angle => [Math.cos(angle), Math.sin(angle)]);
      plane.line(circle, "quiet");
      const left = narrow ? 70 : 392, width = narrow ? 278 : 236, down = narrow ? 232 : 0;
      const above = kit.axes(svg, { x: [0, T], y: [-1.1, 1.1], ylabel: narrow ? "state" : "state $h_t$", box: [left, 14 + down, width, narrow ? 62 : 100], ticks: { x: [], y: [-1, 0, 1] } });
      const below = kit.axes(svg, { x: [0, T], y: [1e-6, 1e6], log: "y", xlabel: "step $t$", ylabel: narrow ? "gradient" : "gradient’s norm", box: [left, (narrow ? 90 : 136) + down, width, narrow ? 92 : 146], ticks: { y: [1e-6, 1e-3, 1, 1e3, 1e6] } });
      const units = [above.line([], "state"), above.line([], "gate")];
      const upper = below.line([], "quiet"), radius = below.line([], "x"), gradient = below.line([], "grad");
      radius.setAttribute("stroke-dasharray", "2 4");
      const handles = [0, 1].map(i => kit.draw(svg, "circle", { cx: 0, cy: 0, r: 10, style: "fill: var(--explore-new); stroke: var(--explore-ground); stroke-width: 2" }));

      const spots = () => (kind === "pair" ? [[values[0], values[1]], [values[0], -values[1]]] : values.map(v => [v, 0]));
      paint = () => {
        const W = matrix(kind, values, shear);
        const { h, reach } = matrixRiver(W, h_0, T, tanh);
        const size = Math.max(...spots().map(spot => Math.hypot(...spot))), stretch = norm(W);
        spots().forEach(([re, im], i) => {
          handles[i].setAttribute("cx", plane.x(re));
          handles[i].setAttribute("cy", plane.y(im));
        });
        units.forEach((line, i) => above.update(line, h.map((state, t) => [t, state[i]])));
        const powers = base => h.map((_, t) => [t, base ** t]);
        below.update(upper, powers(stretch));
        below.update(radius, powers(size));
        below.update(gradient, reach.map((v, t) => [t, v]));
        const top = reach.reduce((best, v, t) => (v > reach[best] ? t : best), 0);
        const grown = reach[top] > 1.001 ? `The gradient is largest at step ${top}: ${kit.number(reach[top])}` : "The gradient never grows";
        const last = reach[T] > 1e-3 && reach[T] < 1e5 ? kit.number(reach[T]) : reach[T] === 0 ? "0" : `about 10$^{${kit.number(Math.round(Math.log10(reach[T])))}}$`;
        kit.say(figure, `Largest eigenvalue ${kit.number(size)} in size, norm ${kit.number(stretch)}. ${grown}; after ${T} steps ${last}.`);
      };
      paint();
      handles.forEach((handle, i) => kit.drag(handle, ([x, y]) => {
        const [re, im] = [round(plane.x.inverse(x)), round(plane.y.inverse(y))];
        if (kind === "pair") values = [re, i ? -im : im];
        else values[i] = re;
        paint();
      }, {
        label: `eigenvalue ${i + 1}`, keys: narrow ? 6 : 8,
        value: () => `${kit.number(spots()[i][0])}, imaginary part ${kit.number(spots()[i][1])}`,
      }));
    });

    kit.choice(figure, "eigenvalues:", [["pair", "$a ± ib$"], ["real", "two real"]], value => {
      values = value === "real" ? [values[0], round(values[0] - 0.5)] : [values[0], 0];
      kind = value;
      paint();
    }, kind);
    kit.choice(figure, "between the steps:", [["linear", "nothing"], ["tanh", "tanh"]], value => {
      tanh = value === "tanh";
      paint();
    }, tanh ? "tanh" : "linear");
    kit.range(figure, { label: "shear $s$", min: 0, max: 4, step: 0.1, value: shear }, value => {
      shear = value;
      paint();
    });
  });

  // The cliff: loss over w and b, a point to drag, a step with and without clipping.
  explore.add("gradients-cliff", (figure, { w: wide, b: high, rows, top, edge, lr, longest, places, ...unit }, kit) => {
    const WAYS = [["none", "not clipped", "grad"], ["norm", "by norm", "new"], ["value", "by value", "gate"]];
    let [w, b] = places.face, path = [[w, b]], how = "none", paint = () => {};
    const off = () => w < wide[0] || w > wide[1] || b < high[0] || b > high[1];
    const hold = (v, [lo, hi]) => Math.max(lo, Math.min(hi, v));
    const after = way => {
      const g = clip(cliff(w, b, unit).gradient, way, longest);
      return [w - lr * g[0], b - lr * g[1]];
    };
    const tidy = v => {
      if (Math.abs(v) >= 1000) return Math.round(v).toLocaleString("en").replace("-", "−");
      return v !== 0 && Math.abs(v) < 1e-4 ? "almost 0" : kit.number(v);
    };
    const svg = kit.svg(figure, { width: 640, height: 330, label: figure.dataset.alt });

    kit.layout(narrow => {
      kit.resize(svg, narrow ? 360 : 640, narrow ? 430 : 330);
      const size = narrow ? [64, 12, 282, 190] : [64, 12, 330, 262];
      const map = kit.axes(svg, { x: wide, y: high, xlabel: narrow ? "" : "weight $w$", ylabel: "bias $b$", box: size, ticks: { x: [1, 1.2, 1.4, 1.6], y: [-0.3, -0.2, -0.1, 0, 0.1] } });
      const ground = kit.draw(svg, "g");
      svg.prepend(ground); // below the axes
      const [left, up, width, height] = map.box;
      rows.forEach((row, i) => { // the first row is the lowest b
        const cell = [width / row.length, height / rows.length];
        for (let from = 0, to; from < row.length; from = to) {
          for (to = from; to < row.length && row[to] === row[from]; ) to += 1;
          kit.draw(ground, "rect", { x: left + from * cell[0], y: up + height - (i + 1) * cell[1], width: (to - from) * cell[0] + 0.4, height: cell[1] + 0.4,
            style: `fill: color-mix(in srgb, var(--explore-state) ${Math.round((80 * row[from]) / 9)}%, var(--explore-ground))` });
        }
      });
      // On this line the state rests at h_0; for these w a small change grows there.
      const ridge = [1 / (1 - unit.h_0 ** 2), wide[1]].map(w => [w, Math.atanh(unit.h_0) - w * unit.h_0]);
      map.line(ridge, "ink").setAttribute("style", "stroke-width: 1.5; stroke-dasharray: 2 4");
      const come = map.line([], "x"), stops = map.dots([], "x", 3);
      come.setAttribute("style", "stroke-width: 1.5");
      kit.text(svg, [map.x(1.52), map.y(-0.3)], "high loss", "", { size: 14, anchor: "middle" });
      kit.text(svg, [map.x(1.25), map.y(0.05)], "low loss", "", { size: 14, anchor: "middle" });
      const side = kit.axes(svg, { x: high, y: [0, top], xlabel: narrow ? "bias $b$, at this $w$" : "$b$, at this $w$", ylabel: "loss", box: narrow ? [64, 264, 282, 112] : [470, 12, 156, 262], ticks: { x: narrow ? [-0.3, -0.2, -0.1, 0, 0.1] : [-0.3, 0], y: [0, 1, 2, 3] } });
      if (narrow) kit.text(svg, [205, 236], "weight $w$", "", { size: 15 });
      const profile = side.line([], "ink"), here = side.dots([], "state", 7);
      let arrows = [];
      const point = kit.draw(svg, "circle", { cx: 0, cy: 0, r: 9, style: "fill: var(--explore-x); stroke: var(--explore-ground); stroke-width: 2" });

      paint = () => {
        arrows.forEach(arrow => arrow.remove());
        const at = [map.x(hold(w, wide)), map.y(hold(b, high))];
        arrows = off() ? [] : WAYS.map(([way, , colour]) => {
          const to = after(way), end = [map.x(to[0]), map.y(to[1])];
          const along = end.map((v, i) => v - at[i]), length = Math.hypot(...along);
          if (length < 12) return null;
          // What leaves the map is cut off at its border.
          const share = Math.min(1, ...along.map((v, i) => {
            const [from, span] = [map.box[i], map.box[i + 2]];
            return v > 0 ? (from + span - at[i]) / v : v < 0 ? (from - at[i]) / v : 1;
          }));
          return kit.arrow(svg, at, along.map((v, i) => at[i] + share * v), colour);
        }).filter(Boolean);
        svg.append(point); // above the arrows
        map.update(come, path);
        map.update(stops, path);
        point.setAttribute("cx", at[0]);
        point.setAttribute("cy", at[1]);
        const { loss } = cliff(w, b, unit);
        side.update(profile, off() ? [] : kit.span(...high, 241).map(v => [v, cliff(w, v, unit).loss]));
        side.update(here, off() ? [] : [[b, loss]]);
      };
      paint();
      kit.drag(point, ([x, y]) => {
        [w, b] = [hold(map.x.inverse(x), wide), hold(map.y.inverse(y), high)];
        // The face is thinner than a pixel: a point that comes near clings to it.
        const i = Math.round(((w - wide[0]) / (wide[1] - wide[0])) * (edge.length - 1));
        if (Math.abs(map.y(b) - map.y(edge[i])) < 2.5) [w, b] = [wide[0] + ((wide[1] - wide[0]) * i) / (edge.length - 1), edge[i]];
        path = [[w, b]];
        paint();
        tell();
      }, { label: "the point (w, b)", keys: 6, value: () => `w ${tidy(w)}, b ${tidy(b)}, loss ${tidy(cliff(w, b, unit).loss)}` });
    });

    function tell() {
      const { loss, gradient } = cliff(w, b, unit);
      const length = Math.hypot(...gradient);
      const where = `At $w$ = ${tidy(w)}, $b$ = ${tidy(b)} the loss is ${tidy(loss)} and the gradient’s length ${tidy(length)}.`;
      if (off()) return void kit.say(figure, `${where} That is off the map${length < 1e-9 ? ", and no gradient leads back" : ""}.`);
      const [, name] = WAYS.find(([way]) => way === how);
      const to = after(how);
      kit.say(figure, `${where} The next step, ${name}, leads to $w$ = ${tidy(to[0])}, $b$ = ${tidy(to[1])}, with the loss ${tidy(cliff(...to, unit).loss)}.`);
    }

    const go = (name, place) => kit.button(figure, name, () => {
      [w, b] = place;
      path = [place];
      paint();
      tell();
    });
    go("on top", places.top);
    go("on the face", places.face);
    go("at the foot", places.foot);
    kit.choice(figure, "clip:", WAYS.map(([way, name]) => [way, way === "none" ? "no" : name]), value => {
      how = value;
      tell();
    }, how);
    kit.button(figure, "take a step", () => {
      [w, b] = after(how);
      path.push([w, b]);
      paint();
      tell();
    });
    tell();
  });

  return { matrix, matrixRiver, norm, cliff, clip };
})();
