/* The search page: sections that hold all words, with the lines around them. sections.js has the text. */
"use strict";

(() => {
  const ESCAPE = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };
  const escape = (text) => text.replace(/[&<>"]/g, (letter) => ESCAPE[letter]);
  const quote = (text) => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");

  /* A word finds what begins with it, and its other endings: "gradients" finds "gradient", "memory" "memories". */
  const pattern = (words, flags) => {
    const forms = words.map((word) => {
      const stem = word.length > 4 ? word.replace(/(?:ies|ied|ing|es|ed|[sye])$/u, "") : word;
      return `${quote(word)}[\\p{L}\\p{N}]*|${quote(stem)}(?:ies|ied|ing|es|ed|[sye])?(?![\\p{L}\\p{N}])`;
    });
    return new RegExp(`(?<![\\p{L}\\p{N}])(?:${forms.join("|")})`, flags);
  };

  /** The sections that hold every word, best first: words in titles count most, then how often they come. */
  function find(words) {
    const hits = [];
    for (const section of SECTIONS) {
      let score = 0;
      for (const word of words) {
        const one = pattern([word], "giu");
        const title = (section.title.match(one) || []).length;
        const text = (section.text.match(one) || []).length;
        if (title + text === 0) {
          score = 0;
          break;
        }
        score += 20 * title + Math.min(text, 10);
      }
      if (score) hits.push([score, section]);
    }
    return hits.sort((a, b) => b[0] - a[0]).map(([, section]) => section);
  }

  /** The lines around the first words that were found, all of them marked. */
  function excerpt(text, all) {
    const first = text.search(all);
    const start = first < 90 ? 0 : text.indexOf(" ", first - 80) + 1;
    const stop = text.length - start < 260 ? text.length : text.lastIndexOf(" ", start + 240);
    // Marked before it is escaped: else a word would be found in &quot; as well.
    const marked = text.slice(start, stop).replace(all, "\u0001$&\u0002");
    const lines = escape(marked).replaceAll("\u0001", "<mark>").replaceAll("\u0002", "</mark>");
    return `${start ? "… " : ""}${lines}${stop < text.length ? " …" : ""}`;
  }

  const query = new URLSearchParams(location.search).get("q") || "";
  const words = query.toLowerCase().match(/[\p{L}\p{N}_]+/gu) || [];
  document.querySelectorAll('.bd-search input[name="q"]').forEach((input) => (input.value = query));
  if (!words.length) return;

  const all = pattern(words, "giu");
  const sections = find(words);
  const items = sections.map((section) => {
    const seen = new Set((`${section.title} ${section.text}`.match(all) || []).map((word) => word.toLowerCase()));
    const marked = encodeURIComponent([...seen].slice(0, 8).join(" "));
    const where = section.title === section.page ? "" : `<span class="search-page">${escape(section.page)}</span> › `;
    return (
      `<li><p>${where}<a href="${section.url}?highlight=${marked}#${section.id}">${escape(section.title)}</a></p>` +
      `<p class="search-lines">${excerpt(section.text, all)}</p></li>`
    );
  });
  const count = sections.length === 1 ? "1 section" : `${sections.length} sections`;
  document.getElementById("search-results").innerHTML =
    `<p role="status">${sections.length ? `${count} with` : "No section has"} <strong>${escape(query)}</strong></p>` +
    `<ol>${items.join("")}</ol>`;
})();
