/* The figures of the chapter on the gated recurrent unit. */

const gruChapter = (() => {
  "use strict";

  const sigma = a => 1 / (1 + Math.exp(-a));

  /** The new state: z of the way from the old one to the candidate. */
  const move = (h, n, z) => (1 - z) * h + z * n;

  // ---------------------------------------------------------------- by hand

  // Catch a number and hold it: one gate, moved by hand.
  explore.add("hold", (figure, { x, star, bell }, kit) => {
    const T = x.length, target = x[star];
    const slow = () => t > star - 4 && t < star + 2; // where the hand has to be quick
    const number = value => kit.number(value, 2);
    let t, states, history; // after each step; history: z at each step
    let z = 0.5, shown = false, draw;
    const svg = kit.svg(figure, { width: 640, height: 284, label: figure.dataset.alt });

    kit.layout(narrow => {
      const [width, left] = [narrow ? 360 : 640, 84];
      const area = (top, height) => [left, top, width - left - 12, height];
      kit.resize(svg, width, 284);
      const stream = kit.stream(svg, area(22, 74), T);
      const gate = kit.bars(svg, area(108, 38), T, "gate $z$");
      const below = kit.axes(svg, { x: [0, T], y: [-1.15, 1.15], box: area(160, 100), ticks: { x: [], y: [-1, 0, 1] } });
      kit.text(svg, [left - 30, 215], "state $h$", "state", { size: 14, anchor: "end" });
      kit.text(svg, [left + (width - left - 12) / 2, 279], "step after step →", "quiet", { size: 14 });
      kit.draw(svg, "circle", { cx: stream.middle(bell), cy: below.y(target), r: 8, class: "state", style: "fill: none; stroke: var(--pen); stroke-width: 2" });
      const line = below.line([], "state"), dots = below.dots([], "state", 3);
      const now = kit.draw(svg, "path", { class: "line", style: "stroke-width: 1.5" });
      draw = () => {
        stream.show({ x, star, bell, t });
        gate(history);
        const points = states.slice(1).map((value, step) => [step + 0.5, value]);
        below.update(line, points);
        below.update(dots, points);
        now.setAttribute("d", `M${below.x(t)} 24V260`);
      };
      if (states) draw();
    });

    function begin() {
      clock.pause();
      [t, states, history, shown] = [0, [0], [], false];
      draw();
      kit.say(figure, "$z$ = 0 keeps the state, $z$ = 1 takes the new number. Press Play, and move $z$ while time runs: it slows down at the star.");
    }

    /** What the bell finds, and why. */
    function verdict() {
      const [caught, held] = [states[star + 1], states[T]], off = Math.abs(held - target);
      const told = `The bell: the state is ${number(held)}, the star was ${number(target)}.`;
      const left = history.slice(star + 1).reduce((product, open) => product * (1 - open), 1);
      if (off < 0.05) return `${told} ${off < 1e-9 ? "Caught and held, exactly!" : `Caught and held, ${number(off)} away.`}` + (shown ? " Now you." : "");
      return `${told} They are ${number(off)} apart: ` +
        (Math.abs(caught - target) >= 0.05 ? `when the star came, $z$ was ${number(history[star])}, and the state went only that far.`
          : `it was caught, but ${left < 0.005 ? "nothing" : `only ${number(left)}`} of it is left after ${bell - star} steps, and other numbers came in its place.`);
    }

    function step() {
      if (t === T) begin();
      if (shown) slider.show((z = +(t === star)));
      states.push(move(states[t], x[t], z));
      history.push(z);
      t += 1;
      draw();
      if (t === T) kit.say(figure, verdict());
      else if (t === star - 2) kit.say(figure, "Here comes the star …");
      else if (t === star + 1) kit.say(figure, `That was the star, ${kit.number(target)}. The state is ${number(states[t])}. Hold it!`);
      return t < T;
    }

    const slider = kit.range(figure, { label: "gate $z$", min: 0, max: 1, step: 0.05, value: z, colour: "gate" }, value => {
      z = value;
      shown = false;
    });
    const clock = kit.play(figure, step, 250, { slow, step: "step" });
    kit.button(figure, "again", begin);
    kit.button(figure, "show me", () => {
      begin();
      shown = true;
      clock.play();
    });
    begin();
  });

  return { move };
})();
