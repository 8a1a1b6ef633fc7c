/* The figures of the chapter on the long short-term memory. */

const lstmChapter = (() => {
  "use strict";

  /** The next cell and output of a unit whose gates are set by hand; the candidate is the input itself. */
  function tick(c, x, [i, f, o]) {
    const next = f * c + i * x;
    return [next, o * Math.tanh(next)];
  }

  // Catch a number, hold it, show it: three gates, moved by hand.
  explore.add("hold", (figure, { x, star, bell }, kit) => {
    const T = x.length, target = Math.tanh(x[star]);
    let t, cells, outputs, gates = [0.5, 0.5, 0.5], draw;
    const svg = kit.svg(figure, { width: 640, height: 330, label: figure.dataset.alt });

    kit.layout(narrow => {
      const width = narrow ? 360 : 640;
      kit.resize(svg, width, 330);
      const area = (top, height) => [58, top, width - 72, height];
      const above = kit.axes(svg, { x: [0, T], y: [-1, 1], ylabel: "input", box: area(26, 90), ticks: { x: [], y: [-1, 0, 1] } });
      const below = kit.axes(svg, { x: [0, T], y: [-1.1, 1.1], xlabel: "step", ylabel: "cell, output", box: area(140, 140), ticks: { y: [-1, 0, 1] } });
      kit.text(svg, [above.x(star), 16], "★", "x", { size: 20 });
      kit.text(svg, [above.x(bell), 16], "bell", "quiet", { size: 14 });
      for (const mark of [star, bell]) {
        for (const axes of [above, below]) axes.line([[mark, -1.1], [mark, 1.1]], "quiet");
      }
      const inputs = above.dots([], "x", 3), cell = below.line([], "new"), output = below.line([], "state");
      draw = () => {
        above.update(inputs, x.slice(0, t).map((value, step) => [step, value]));
        below.update(cell, cells.map((value, step) => [step, value]));
        below.update(output, outputs.map((value, step) => [step, value]));
      };
      if (cells) draw();
    });

    function begin() {
      [t, cells, outputs] = [0, [0], [0]];
      draw();
      kit.say(figure, "Set the gates, then press Play; move them while it runs. Green: the cell. Orange: the output.");
    }

    function step() {
      if (t === T) begin();
      const [c, h] = tick(cells[t], x[t], gates);
      cells.push(c);
      outputs.push(h);
      t += 1;
      draw();
      if (t - 1 === star) kit.say(figure, "The star: this number is to be kept.");
      else if (t - 1 === bell) {
        const off = Math.abs(h - target);
        clock.pause();
        kit.say(figure, `The bell. The output is ${kit.number(h)}, it should be ${kit.number(target)}: ` +
          (off < 0.05 ? "caught, held, shown." : Math.abs(c - x[star]) < 0.05 ? "the cell is right; is the output gate open?" :
            Math.abs(cells[star + 1] - x[star]) < 0.05 ? "it was caught, and lost on the way." : "it was not caught."));
      }
      return t < T;
    }

    const clock = kit.play(figure, step, 350);
    kit.button(figure, "again", () => {
      clock.pause();
      begin();
    });
    ["input gate $i$", "forget gate $f$", "output gate $o$"].forEach((label, gate) => {
      kit.range(figure, { label, min: 0, max: 1, step: 0.05, value: gates[gate] }, value => (gates[gate] = value));
    });
    begin();
  });

  return { tick };
})();
