/* The menu of downloads, and paper. */
"use strict";

/* A name on hover for each button. A click opens the menu; a second one, one elsewhere, Escape, and the last Tab close it. */
addEventListener("DOMContentLoaded", () => {
  for (const button of document.querySelectorAll("[data-bs-title]")) button.title = button.dataset.bsTitle;
  for (const button of document.querySelectorAll("[data-bs-toggle=dropdown]")) {
    const box = button.parentElement;
    const show = (open) => {
      button.nextElementSibling.classList.toggle("show", open);
      button.setAttribute("aria-expanded", open);
    };
    button.addEventListener("click", () => show(button.getAttribute("aria-expanded") === "false"));
    addEventListener("click", (event) => box.contains(event.target) || show(false));
    box.addEventListener("focusout", (event) => {
      if (event.relatedTarget && !box.contains(event.relatedTarget)) show(false);
    });
    box.addEventListener("keydown", (event) => {
      if (event.key !== "Escape") return;
      show(false);
      button.focus();
    });
  }
});

/* On paper nothing can be clicked: what is folded opens, and answers stand at the end. */
(() => {
  let undo = [];

  function unfold() {
    const article = document.querySelector("article.bd-article");
    if (!article || undo.length) return;
    for (const details of article.querySelectorAll("details:not([open])")) {
      details.open = true;
      undo.push(() => (details.open = false));
    }
    const answers = document.createElement("section");
    answers.className = "print-answers";
    answers.innerHTML = "<h2>Answers</h2>";
    for (const solution of article.querySelectorAll(".solution")) {
      const place = document.createComment("solution");
      solution.replaceWith(place);
      answers.append(solution);
      undo.push(() => place.replaceWith(solution));
    }
    article.querySelectorAll(".quiz").forEach((quiz, number) => {
      const answer = document.createElement("div");
      answer.innerHTML = `<p><strong>Quiz, question ${number + 1}</strong></p>`;
      const right = quiz.querySelector(".quiz-answer.right");
      if (!right) return;
      for (const part of [right.parentElement.querySelector("label"), right]) {
        const copy = document.createElement("div");
        copy.append(...part.cloneNode(true).childNodes);
        answer.append(copy);
      }
      answers.append(answer);
    });
    if (answers.children.length > 1) article.append(answers);
    undo.push(() => answers.remove());
  }

  function fold() {
    undo.forEach((step) => step());
    undo = [];
  }

  addEventListener("beforeprint", unfold);
  addEventListener("afterprint", fold);
})();
