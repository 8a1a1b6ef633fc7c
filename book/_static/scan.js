/* The figures of the chapter on the scan. */

const scanChapter = (() => {
  "use strict";

  const sum = numbers => numbers.reduce((total, n) => total + n, 0);

  /** The distances 1, 2, 4, … below T. */
  const distances = T => [...Array(Math.ceil(Math.log2(T))).keys()].map(k => 2 ** k);

  /** How many of T numbers (or steps) are added (or joined) to others at once, round after round, in each of four ways. */
  const WAYS = {
    loop: T => Array(T - 1).fill(1),
    hillis: T => distances(T).map(d => T - d),
    blelloch: T => {
      const up = distances(T).map(d => Math.ceil((T - d) / (2 * d))); // stretches of 2d whose right half holds a number
      return [...up, ...up.slice().reverse()];
    },
    chunks: (T, P) => {
      const C = chunkCount(T, P), lengths = [...Array(C).keys()].map(k => Math.floor((T + k) / C));
      const within = [...Array(lengths[C - 1] - 1).keys()].map(j => lengths.filter(length => length > j + 1).length);
      const rest = T - lengths[0] - (C - 1); // all but the first chunk, and but the last step of each
      return [...within, ...Array(C - 1).fill(1), ...(rest > 0 ? [rest] : [])];
    },
  };

  /** As many chunks as workers, but no more than √T. */
  const chunkCount = (T, P) => Math.min(P, Math.round(Math.sqrt(T)));

  /** How many of P workers are busy, turn after turn: no round begins before the last has ended. */
  const turns = (rounds, P) => rounds.flatMap(n => [...Array(Math.floor(n / P)).fill(P), ...(n % P ? [n % P] : [])]);

  /** "1 turn", "2 turns". */
  const count = (n, word) => `${n} ${word}${n === 1 ? "" : "s"}`;

  // ---------------------------------------------------------------- who is first?

  const NAMES = { loop: "the loop", hillis: "Hillis–Steele", blelloch: "Blelloch", chunks: "the chunks" };
  const PLACES = ["first", "second", "third", "last"];

  /** Why the first was first. */
  const WHY = {
    hillis: ({ T, total }) => `Hillis–Steele makes the most additions, ${total.hillis}, but with so many workers it is the rounds that count: it has ${distances(T).length}, Blelloch ${2 * distances(T).length}.`,
    blelloch: ({ T, P, total }) => `Blelloch makes ${total.blelloch} additions, where Hillis–Steele makes ${total.hillis}, in ${2 * distances(T).length} rounds, where the chunks have ${WAYS.chunks(T, P).length}.`,
    chunks: ({ T, P, total }) => `Each chunk is a loop of its own, and ${count(chunkCount(T, P) - 1, "total")} must be handed on: ${total.chunks} additions in all, where Blelloch makes ${total.blelloch}.`,
  };

  // Four ways to the same T totals, with P workers: bars as long as the turns, as high as the workers are busy.
  explore.add("race", (figure, { T, P }, kit) => {
    const svg = kit.svg(figure, { label: figure.dataset.alt });
    let races, last, now = 0, paint; // the turns of the four; how many the slowest takes; how many are over

    kit.layout(narrow => {
      paint = () => {
        const [width, left, pitch, high] = [narrow ? 360 : 640, 8, 56, 26];
        kit.resize(svg, width, 4 * pitch + 50);
        const { x } = kit.axes(svg, { x: [0, last], y: [0, 1], box: [left, 4, width - left - 16, 4 * pitch], xlabel: "turns →",
          ticks: { x: last < 6 ? kit.span(0, last, last + 1) : undefined, y: [] } });
        const best = Math.min(...Object.values(races).map(race => race.length));
        Object.entries(races).forEach(([way, race], row) => {
          const done = race.slice(0, now), bottom = 4 + (row + 1) * pitch, over = now >= race.length;
          const won = over && race.length === best;
          const group = kit.draw(svg, "g", { "data-way": way });
          const words = (at, text, anchor) => kit.text(group, [at, bottom - high - 8], text, "", { anchor, size: 14 });
          const name = way === "chunks" ? count(chunkCount(T, P), "chunk") : NAMES[way].replace("the ", "");
          const place = Object.values(races).filter(other => other.length < race.length).length;
          words(left + 6, `${name}: ${count(sum(done), "addition")}`, "start");
          const told = words(width - 12, over ? `${count(race.length, "turn")}, ${PLACES[place]}` : `${now}`, "end");
          if (won) told.style.fontWeight = 700;
          kit.draw(group, "path", { class: "line quiet", style: "stroke-width: 1", d: `M${left} ${bottom}H${x(last)}` });
          const steps = done.map((busy, r) => `V${bottom - Math.max(4, (high * busy) / P)}H${x(r + 1).toFixed(1)}`);
          kit.draw(group, "path", { class: won ? "new" : "state", style: "fill: var(--pen)", d: `M${left} ${bottom}${steps.join("")}V${bottom}Z` });
        });
      };
      if (races) paint();
    });

    function begin() {
      races = Object.fromEntries(Object.entries(WAYS).map(([way, rounds]) => [way, turns(rounds(T, P), P)]));
      last = Math.max(...Object.values(races).map(race => race.length));
    }

    function verdict() {
      const best = Math.min(...Object.values(races).map(race => race.length));
      const first = Object.keys(races).filter(way => races[way].length === best);
      const total = Object.fromEntries(Object.entries(races).map(([way, race]) => [way, sum(race)]));
      const names = first.map(way => NAMES[way]).join(" and ").replace(/ and (?=.* and )/, ", ");
      const told = `First: ${names}, after ${count(best, "turn")}`;
      if (P === 1) return `${told}. Alone, one worker makes one addition a turn, so the least work wins; and one chunk is the loop.`;
      if (best === T - 1) return `${told}. With so few numbers and workers the loop is not beaten.`;
      return `${told}: ${kit.number((T - 1) / best, 2)} times as fast as the loop, with ${P} workers. ${WHY[first.at(-1)]({ T, P, total })}`;
    }

    /** What is said on the way. */
    function onTheWay() {
      if (!now) return "In each turn a worker may do one addition. Who has all totals first? Guess, and press Play.";
      const through = Object.keys(races).filter(way => races[way].length <= now).map(way => NAMES[way]);
      return `Turn ${now}. All totals: ${through.length ? through.join(", ") : "nobody yet"}.`;
    }

    /** Show the state after so many turns. */
    function show(turn) {
      now = Math.min(last, turn);
      paint();
      kit.say(figure, now === last ? verdict() : onTheWay());
      return now < last;
    }

    const slider = (label, min, value, change) => kit.range(figure, { label, min, max: 64, step: 1, value, row: 2 }, to => {
      change(to);
      clock.pause();
      begin();
      show(last);
    });
    slider("numbers $T$", 2, T, to => (T = to));
    slider("workers $P$", 1, P, to => (P = to));
    const early = () => now < 15 || now === last; // when the fastest get there
    const clock = kit.play(figure, () => show(now === last ? 1 : now + (early() ? 1 : Math.ceil(last / 80))), 80, { slow: early });
    begin();
    show(0);
    figure.querySelector(".explore-say").style.minHeight = "4.8em"; // what is below must not jump
  });

  // ---------------------------------------------------------------- the steppers: room for the longest sentence

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

  return { WAYS, turns };
})();
