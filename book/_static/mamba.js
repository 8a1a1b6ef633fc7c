/* The figures of the chapter on Mamba. */

const mambaChapter = (() => {
  "use strict";

  const { sigma, whole } = explore.kit;
  const upTo = n => [...Array(n).keys()];
  const clamp = (value, lo, hi) => Math.min(hi, Math.max(lo, value));
  const sum = numbers => numbers.reduce((total, n) => total + n, 0);
  const median = list => [...list].sort((a, b) => a - b)[list.length >> 1];
  const softplus = z => Math.max(z, 0) + Math.log1p(Math.exp(-Math.abs(z)));

  // ---------------------------------------------------------------- a state of shares

  /** Of what the state consists after each step: h ← exp(−Δ) h + (1 − exp(−Δ)) x, with one number for each kind of
      token (x is 1 there and 0 elsewhere). Kinds are numbered from 0, the blank. What is missing to 1 is still empty. */
  function shares(tokens, delta, kinds = Math.max(...tokens) + 1) {
    let h = Array(kinds).fill(0);
    return tokens.map((token, t) => {
      const keep = Math.exp(-delta[t]), take = -Math.expm1(-delta[t]);
      return (h = h.map((value, kind) => keep * value + (kind === token ? take : 0)));
    });
  }

  /** The most that a filter, one Δ at all steps, can hold of what came n steps before the end: Δ = ln(1 + 1/n). */
  const most = n => (n / (n + 1)) ** n / (n + 1);

  /** 0.123 → "12 %", 0.0123 → "1.2 %". */
  function percent(share) {
    const digits = share < 0.0995 && share > 0 ? 1 : 0, text = (100 * share).toFixed(digits);
    return whole(share > 0 && share < 0.0005 ? "< 0.1 %" : `${text} %`);
  }

  /** Room for a sentence of so many lines on a wide page and on a narrow one: what is below must not jump. */
  const room = (kit, figure, wide, narrow) => kit.layout(small => (figure.querySelector(".explore-say").style.minHeight = `${1.65 * (small ? narrow : wide)}em`));

  /** Two digits that count, without a power of ten. */
  const small = value => value.toFixed(clamp(1 - Math.floor(Math.log10(value || 1)), 0, 9));

  const letter = k => String.fromCharCode(65 + k);
  const colour = (pen, share) => `fill: color-mix(in srgb, var(--explore-${pen}) ${(100 * share).toFixed(1)}%, var(--explore-ground))`;

  /** A stream of signs, one tile a step; signs(t): the letter at step t, or "" for a blank. */
  function tiles(kit, svg, [left, top, width], T, signs) {
    const wide = width / T, letters = [];
    let last = -99, low = false; // where tiles are narrow, letters that would touch stand on two heights
    for (const t of upTo(T)) {
      const sign = signs(t), x = left + (t + 0.5) * wide;
      kit.draw(svg, "rect", { x: x - 0.42 * wide, y: top + 16, width: 0.84 * wide, height: 8, rx: 1.5, class: sign ? "x" : "quiet", "data-t": t, "data-sign": sign,
        style: sign ? "fill: var(--pen)" : "fill: color-mix(in srgb, var(--pen) 28%, var(--explore-ground))" });
      if (!sign) continue;
      low = x - last < 11 && !low;
      last = x;
      letters.push(kit.text(svg, [x, top + (low ? 0 : 12)], sign, "x", { size: 14 }));
      letters.at(-1).style.fontWeight = 600;
    }
    return letters;
  }

  // ---------------------------------------------------------------- be the gate

  const SPELL = ["no", "one", "two", "three", "four", "five", "six", "seven", "eight"];

  explore.add("select", (figure, { tokens, delta }, kit) => {
    const T = tokens.length, top = 2, goal = 0.2; // the highest Δ; what every token must have at the end
    const ids = [...new Set(tokens.filter(id => id))].sort((a, b) => a - b);
    const stream = tokens.map(id => (id ? ids.indexOf(id) + 1 : 0)), kinds = ids.length + 1; // 0 the blank, 1 … the tokens
    const first = stream.findIndex(kind => kind), back = T - 1 - first;
    const given = delta ?? stream.map(kind => (kind ? 0.5 : 0.01));
    const mean = of => kit.number(sum(given.filter((_, t) => of === !stream[t])) / stream.filter(kind => of === !kind).length, 2);
    const limit = Math.max(top, ...given);
    let constant = 0.2, mode = "filter", own = stream.map(() => 0.2), at = first, now = T, moves = 0;
    const svg = kit.svg(figure, { label: figure.dataset.alt });
    const high = 92, row = 21, barsAt = 36, stripesAt = barsAt + high + 34;
    let left = 56, width = 500, paint;

    const deltas = () => (mode === "filter" ? stream.map(() => constant) : mode === "mine" ? own : given);
    const name = kind => (kind ? letter(kind - 1) : "blank");

    kit.layout(narrow => {
      const all = narrow ? 360 : 640;
      kit.resize(svg, all, stripesAt + kinds * row + 4);
      left = narrow ? 58 : 60;
      width = all - left - (narrow ? 48 : 64);
      const wide = width / T, x = t => left + t * wide, under = barsAt + high;
      const words = (place, text, anchor = "end", classes = "") => kit.text(svg, place, text, classes, { anchor, size: 14 });
      words([left - 7, 25], "stream");
      tiles(kit, svg, [left, 0, width], T, t => (stream[t] ? name(stream[t]) : ""));
      for (const value of [0, 1, 2]) {
        kit.draw(svg, "path", { class: "line quiet", style: "stroke-width: 1; opacity: 0.45", d: `M${left} ${under - (value / limit) * high}h${width}` });
        words([left - 7, under - (value / limit) * high + 5], String(value));
      }
      words([left - 24, barsAt + high / 2 + 5], "$Δ_t$");
      words([left, stripesAt - 8], "the state: how much of it is …", "start");
      const moment = words([all - 2, stripesAt - 8], "");
      const mark = kit.draw(svg, "rect", { y: 14, width: wide, height: under - 12, rx: 2, style: "fill: none; stroke: var(--explore-ink); stroke-width: 1.5" });
      const bars = kit.draw(svg, "g", { class: "gate", style: "fill: var(--pen)" });
      const state = kit.draw(svg, "g", {});
      const values = upTo(kinds).map(k => {
        const kind = (k + 1) % kinds, y = stripesAt + k * row;
        words([left - 7, y + 15], name(kind));
        kit.draw(svg, "rect", { x: left, y, width, height: row - 3, class: kind ? "state" : "quiet", style: "fill: none; stroke: var(--pen); stroke-width: 1; opacity: 0.5" });
        return [kind, words([all - 2, y + 15], "")];
      });
      const touch = kit.draw(svg, "rect", { x: left, y: barsAt - 4, width, height: high + 8, class: "handle", "data-touch": "", style: "fill: transparent" });
      listen(touch, wide);
      paint = () => {
        const values_t = deltas(), h = shares(stream, values_t, kinds);
        mark.setAttribute("x", x(at));
        mark.style.display = mode === "filter" ? "none" : "";
        bars.replaceChildren();
        state.replaceChildren();
        values_t.forEach((value, t) => {
          const tall = Math.max(1, (clamp(value, 0, limit) / limit) * high), faint = t < now ? 1 : 0.35;
          kit.draw(bars, "rect", { x: x(t) + 0.12 * wide, y: under - tall, width: 0.76 * wide, height: tall, "data-t": t, style: `opacity: ${faint}` });
        });
        for (const [k, [kind, told]] of values.entries()) {
          upTo(now).forEach(t => kit.draw(state, "rect", { x: x(t), y: stripesAt + k * row, width: wide + 0.3, height: row - 3, "data-kind": kind, "data-t": t,
            style: colour(kind ? "state" : "quiet", Math.sqrt(h[t][kind])) })); // the root: faint ones are seen, too
          kit.retext(told, now ? percent(h[now - 1][kind]) : "");
        }
        kit.retext(moment, now === T ? "at the end" : now ? `step ${now}` : "");
      };
      if (now !== undefined && figure.querySelector(".explore-range")) paint();
    });

    /** A finger or a mouse on the bars sets the height of the one it is over; of all, in a filter. */
    function listen(touch, wide) {
      let down = false;
      const to = event => {
        const { x, y } = new DOMPoint(event.clientX, event.clientY).matrixTransform(svg.getScreenCTM().inverse());
        const fine = mode === "filter" ? 100 : 20;
        const value = clamp(Math.round((fine * limit * (barsAt + high - y)) / high) / fine, 0, top);
        at = clamp(Math.floor((x - left) / wide), 0, T - 1);
        change(value);
      };
      touch.addEventListener("pointerdown", event => {
        down = true;
        touch.setPointerCapture(event.pointerId);
        event.preventDefault();
        to(event);
      });
      touch.addEventListener("pointermove", event => down && to(event));
      for (const end of ["pointerup", "pointercancel"]) touch.addEventListener(end, () => (down = false));
    }

    function change(value) {
      if (mode === "input") choose("mine");
      if (mode === "filter") constant = value;
      else own = own.map((old, t) => (t === at ? value : old));
      moves += 1;
      show();
    }

    function show(end = T) {
      if (end === T) clock.pause();
      now = end;
      const filter = mode === "filter";
      step.parentElement.style.visibility = filter ? "hidden" : ""; // its room stays: what is below must not jump
      const beside = step.parentElement.offsetTop === height.parentElement.offsetTop; // on a wide page
      height.parentElement.style.translate = filter && beside ? "calc(50% + 0.525rem)" : ""; // alone, in the middle
      height.step = filter ? 0.01 : 0.05;
      kit.write(height.parentElement.querySelector("label"), filter ? "every $Δ_t$" : `$Δ_{${at + 1}}$ (${name(stream[at])})`);
      height.show(clamp(deltas()[at], 0, top));
      step.show(at + 1);
      paint();
      kit.say(figure, end === T ? verdict() : `Step ${end} of ${T}: ${stream[end - 1] ? `here comes ${name(stream[end - 1])}` : "a blank"}, with $Δ$ = ${kit.number(deltas()[end - 1], 2)}.`);
    }

    function verdict() {
      const h = shares(stream, deltas(), kinds).at(-1), held = h.slice(1), least = Math.min(...held);
      const rest = Math.max(0, 1 - sum(h)), place = `${name(stream[first])}, ${back} steps before the end,`;
      const told = `At the end: ${held.map((share, k) => whole(`${letter(k)} ${percent(share)}`)).join(", ")}, ` +
        `${whole(`blanks ${percent(h[0])},`)} ${whole(`empty ${percent(rest)}.`)} `;
      if (least >= goal - 1e-9) return `${told}All ${SPELL[held.length] ?? held.length} tokens are there${mode === "mine" ? ": you were the gate. But you had seen the whole stream" : ""}.`;
      if (mode === "mine") return `${told}Drag the bars until each token has ${percent(goal)}.`;
      if (mode === "filter") return told + (moves < 2 ? `Is there a $Δ$ that keeps ${percent(goal)} of every token?`
        : `No $Δ$ does it: of ${place} a filter keeps at most ${percent(most(back))}.`);
      return `${told}On average $Δ$ is ${mean(false)} at a token and ${mean(true)} at a blank. ` +
        `Of ${place} that leaves ${kit.number(h[stream[first]] / most(back), 2)} times what a filter can keep.`;
    }

    function choose(to) {
      if (to === "mine" && mode === "filter" && own.every(value => value === own[0])) own = stream.map(() => constant);
      if (to === "mine" && mode === "input") own = given.map(value => clamp(value, 0, top));
      mode = to;
      [...modes.querySelectorAll("input")].forEach((input, k) => (input.checked = ["filter", "mine", "input"][k] === to));
      show();
    }

    const modes = kit.choice(figure, "Who sets $Δ_t$?", [["filter", "a filter: one $Δ$ for all"], ["mine", "I do"], ["input", "the input"]], choose);
    const height = kit.range(figure, { label: "$Δ$", min: 0, max: top, step: 0.05, value: constant, colour: "gate", row: 2 }, change);
    const step = kit.range(figure, { label: "step $t$", min: 1, max: T, step: 1, value: at + 1, row: 2 }, value => {
      at = value - 1;
      show();
    });
    const clock = kit.play(figure, () => {
      show(now === T ? 1 : now + 1);
      return now < T;
    }, 110, { slow: () => now < T && stream[now] > 0 });
    show();
    room(kit, figure, 3, 5);
  });

  // ---------------------------------------------------------------- a step is a gate

  /** What one step keeps of the state and takes of the input, with Δ = softplus(z), A = −1, B = 1. */
  function gate(z) {
    const delta = softplus(z);
    return { delta, keep: Math.exp(-delta), hold: -Math.expm1(-delta), euler: delta, sigma: sigma(z) };
  }

  explore.add("gate", (figure, { z = 0 }, kit) => {
    const svg = kit.svg(figure, { label: figure.dataset.alt }), end = 3; // of the bars' scale
    let paint;

    kit.layout(narrow => {
      const width = narrow ? 360 : 640, left = narrow ? 36 : 60, wide = width - left - 14;
      kit.resize(svg, width, 382);
      const axes = kit.axes(svg, { x: [-6, 6], y: [0, end], box: [left, 8, wide, 176], xlabel: "$a$", ticks: { x: [-6, -4, -2, 0, 2, 4, 6], y: [0, 1, 2, 3] } });
      const curve = (f, classes) => axes.line(kit.span(-6, 6, 121).map(v => [v, f(v)]), classes);
      const broad = curve(sigma, "gate");
      broad.style.strokeWidth = 9;
      broad.style.opacity = 0.35;
      curve(v => gate(v).hold, "gate");
      curve(softplus, "x").style.strokeDasharray = "7 4";
      const legend = (k, text, classes, style) => {
        const y = 28 + 22 * k;
        kit.draw(svg, "path", { class: `line ${classes}`, d: `M${left + 10} ${y}h24`, style });
        kit.text(svg, [left + 41, y + 5], text, classes, { size: 14, anchor: "start" });
      };
      legend(0, "$Δ$ = softplus($a$)", "x", "stroke-dasharray: 7 4");
      legend(1, "σ($a$)", "gate", "stroke-width: 9; opacity: 0.35");
      legend(2, "1 − exp(−$Δ$)", "gate");
      const line = kit.draw(svg, "path", { class: "line quiet", style: "stroke-width: 1" });
      const dots = [axes.dots([], "gate", 5), axes.dots([], "x", 5)];

      const scale = v => left + (Math.min(v, end) / end) * wide, rows = [["hold", "zero-order hold", 260], ["euler", "Euler, as in the code", 324]];
      kit.draw(svg, "path", { class: "line quiet", style: "stroke-width: 1; stroke-dasharray: 3 3", d: `M${scale(1)} 260v38M${scale(1)} 324v42` });
      kit.text(svg, [scale(1), 380], "1", "", { size: 14 });
      const half = pen => `${colour(pen, 0.3)}; stroke: var(--pen); stroke-width: 1.5`;
      const bars = rows.map(([rule, name, y]) => {
        kit.text(svg, [left, y - 4], name, "", { size: 14, anchor: "start" });
        const kept = kit.draw(svg, "rect", { x: left, y: y + 4, height: 30, class: "state", "data-rule": rule, "data-bar": "keep", style: half("state") });
        const taken = kit.draw(svg, "rect", { y: y + 4, height: 30, class: "x", "data-rule": rule, "data-bar": "take", style: half("x") });
        const say = [0, 1].map(() => kit.text(svg, [0, y + 24], "", "", { size: 14, anchor: "start" }));
        const total = kit.text(svg, [width - 14, y - 4], "", "", { size: 14, anchor: "end" });
        return { rule, y, kept, taken, say, total };
      });
      paint = () => {
        const now = gate(z);
        line.setAttribute("d", `M${axes.x(z)} 8v176`);
        axes.update(dots[0], [[z, now.hold]]);
        axes.update(dots[1], [[z, now.delta]]);
        for (const { rule, kept, taken, say, total } of bars) {
          const [a, b] = [now.keep, now[rule]], middle = scale(a), right = scale(a + b);
          kept.setAttribute("width", Math.max(0, middle - left));
          taken.setAttribute("x", middle);
          taken.setAttribute("width", Math.max(0, right - middle));
          kit.retext(say[0], middle - left > 46 ? `${kit.number(a, 3)} $h$` : "");
          say[0].setAttribute("x", left + 7);
          kit.retext(say[1], right - middle > 46 ? `${kit.number(b, 3)} $x$` : "");
          say[1].setAttribute("x", middle + 7);
          kit.retext(total, `${a + b > end ? "→ " : ""}together ${kit.number(Math.round(1e4 * (a + b)) / 1e4, 4)}`);
        }
      };
      paint();
    });

    function show() {
      paint();
      const { delta, keep, hold } = gate(z), n = value => kit.number(value, 3);
      kit.say(figure, `$Δ$ = ${n(delta)}: ${whole(`exp(−$Δ$) = ${n(keep)}`)} of $h$ is kept. Zero-order hold takes ${n(hold)} of $x$, which is ${whole("σ($a$)")}: a gate. ` +
        (delta > 1 ? `Euler takes ${n(delta)} times $x$: more than there is.` : delta < 0.05 ? `Euler takes ${n(delta)}, nearly the same.` : `Euler takes ${n(delta)}, ${n(delta / hold)} times as much.`));
    }

    kit.range(figure, { label: "$a$", min: -6, max: 6, step: 0.1, value: z, colour: "gate" }, value => {
      z = value;
      show();
    });
    show();
    room(kit, figure, 2, 4);
  });

  // ---------------------------------------------------------------- what a trained network lets in

  /** How far the state moves at each step, as a share of the greatest length that it has. */
  function moved(state) {
    const length = v => Math.hypot(...v), longest = Math.max(...state.map(length)) || 1;
    return state.map((h, t) => length(h.map((value, n) => value - (t ? state[t - 1][n] : 0))) / longest);
  }

  // signs: 0 a blank, 1 "now", others tokens. right: for the last steps, whether the answer was right.
  explore.add("copy", (figure, { tokens, delta, state, right = [] }, kit) => {
    const T = tokens.length, N = state[0].length;
    const sign = t => (tokens[t] > 1 ? letter(tokens[t] - 2) : tokens[t] === 1 ? "?" : "");
    const order = upTo(T).filter(t => tokens[t] > 1), asked = upTo(T).filter(t => tokens[t] === 1);
    const blank = median(delta.filter((_, t) => tokens[t] === 0)), highest = Math.max(...delta);
    const way = moved(state), largest = upTo(N).map(n => Math.max(1e-12, ...state.map(h => Math.abs(h[n]))));
    const svg = kit.svg(figure, { label: figure.dataset.alt });
    const high = 84, barsAt = 36, stripesAt = barsAt + high + 34, row = clamp(Math.floor(170 / N), 5, 14);
    let t = order[0] ?? 0, mark, all = 640;

    const answer = step => right[step - (T - right.length)];

    kit.layout(narrow => {
      all = narrow ? 360 : 640;
      const left = narrow ? 58 : 60, width = all - left - 8, wide = width / T, under = barsAt + high;
      kit.resize(svg, all, stripesAt + N * row + 26);
      const words = (place, text, anchor = "end", classes = "") => kit.text(svg, place, text, classes, { anchor, size: 14 });
      words([left - 7, 25], "stream");
      tiles(kit, svg, [left, 0, width], T, sign);
      words([left - 7, under + 5], "0");
      words([left - 7, barsAt + 9], small(highest));
      words([left - 16, barsAt + high / 2 + 8], "$Δ_t$");
      kit.draw(svg, "path", { class: "line quiet", style: "stroke-width: 1", d: `M${left} ${under}h${width}` });
      const bars = kit.draw(svg, "g", { class: "gate", style: "fill: var(--pen)" });
      delta.forEach((value, s) => {
        const tall = (value / highest) * high;
        kit.draw(bars, "rect", { x: left + (s + 0.12) * wide, y: under - tall, width: 0.76 * wide, height: tall, "data-t": s });
      });
      words([left, stripesAt - 8], `state: ${N} of its numbers, each a stripe`, "start");
      const stripes = kit.draw(svg, "g", {});
      state.forEach((h, s) => h.forEach((value, n) => kit.draw(stripes, "rect", { x: left + s * wide, y: stripesAt + n * row, width: wide + 0.3, height: row - 1,
        style: colour(value < 0 ? "x" : "state", Math.abs(value) / largest[n]) })));
      words([left, stripesAt + N * row + 18], "orange: above 0", "start", "state");
      words([all - 8, stripesAt + N * row + 18], "blue: below 0", "end", "x");
      mark = [[14, under - 13], [stripesAt - 2, N * row + 3]].map(([y, height]) => kit.draw(svg, "rect", { y, height, width: wide, rx: 2, "data-mark": "",
        style: "fill: none; stroke: var(--explore-ink); stroke-width: 1.5" }));
      mark.forEach(half => (half.place = step => half.setAttribute("x", left + step * wide)));
      const touch = kit.draw(svg, "rect", { x: left, y: 0, width, height: stripesAt + N * row, "data-touch": "", style: "fill: transparent" });
      const to = event => {
        const { x } = new DOMPoint(event.clientX, event.clientY).matrixTransform(svg.getScreenCTM().inverse());
        show(clamp(Math.floor((x - left) / wide), 0, T - 1));
      };
      for (const event of ["pointermove", "pointerdown"]) touch.addEventListener(event, to);
      if (figure.querySelector(".explore-range")) show(t);
    });

    function show(step) {
      t = step;
      mark.forEach(half => half.place(t));
      time.show(t + 1);
      const before = order.findLast(place => place < t), after = t - before < 5 ? `, ${t - before} after ${sign(before)}` : "";
      const place = order[asked.indexOf(t)], right_t = answer(t);
      const what = tokens[t] > 1 ? `brings ${sign(t)}:` : tokens[t] === 0 ? `is a blank${after}:`
        : `asks for token ${asked.indexOf(t) + 1}${place === undefined ? "" : `, ${sign(place)}, ${t - place} steps ago`}.${right_t === undefined ? "" : right_t ? " The answer is right." : " The answer is wrong."}`;
      kit.say(figure, `Step ${t + 1} ${what} ${whole(`$Δ$ = ${small(delta[t])},`)} ${kit.number(delta[t] / blank, 2)} times that of a typical blank.` +
        (tokens[t] === 1 ? "" : ` The state moves by ${percent(way[t])} of its greatest length.`));
    }

    const time = kit.range(figure, { label: "step $t$", min: 1, max: T, step: 1, value: t + 1 }, value => show(value - 1));
    show(t);
    room(kit, figure, 2, 4);
  });

  /** Room for the longest sentence of a figure with steps. */
  function makeRoom() {
    for (const list of document.querySelectorAll(".explore[data-alive] .explore-steps")) {
      const heights = [...list.children].map(sentence => {
        sentence.style.display = "block";
        const { height } = sentence.getBoundingClientRect();
        sentence.style.display = "";
        return height;
      });
      list.style.minHeight = `${Math.max(...heights)}px`; // what is below must not jump
    }
  }
  window.addEventListener("load", makeRoom);
  window.addEventListener("resize", makeRoom);

  return { shares, most, gate, moved };
})();
