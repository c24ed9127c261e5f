"use strict";
/* Finds areas, rights and metrics as one types. The list of all of them stands in the page without this script;
   window.vccSearchIndex (search-index.js) holds what is looked through. Everything is written as text. */
(function (global) {
  // Words that name nothing by themselves: they are left out unless nothing else was typed.
  const WEAK = new Set(("a an and area at board by city commissioner constabulary council county crime criminal did "
    + "district do for force from get got has have how i in is it justice local me metropolitan my not of on or our "
    + "police pcc should the they to us was we were what when where who why with").split(" "));

  function normal(text) {
    return String(text).normalize("NFD").replace(/[\u0300-\u036f'\u2019\u2018`\u02bc]/g, "").toLowerCase()
      .replace(/&/g, " and ").replace(/[^\p{L}\p{N}]+/gu, " ").trim();
  }

  // Whether two words differ by at most `most` letters put in, left out, changed or swapped; else more than `most`.
  function distance(a, b, most) {
    if (Math.abs(a.length - b.length) > most) return most + 1;
    let before = [], last = Array.from({ length: b.length + 1 }, (_, j) => j);
    for (let i = 1; i <= a.length; i++) {
      const row = [i];
      for (let j = 1; j <= b.length; j++) {
        const change = a[i - 1] === b[j - 1] ? 0 : 1;
        row[j] = Math.min(last[j] + 1, row[j - 1] + 1, last[j - 1] + change);
        if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) row[j] = Math.min(row[j], before[j - 2] + 1);
      }
      if (Math.min(...row) > most) return most + 1;
      before = last; last = row;
    }
    return last[b.length];
  }

  // How well a typed word meets a word: 0 not at all, 4 the same, 3 its beginning, 1 or 2 with a slip.
  function meets(typed, word) {
    if (word === typed) return 4;
    if (typed.length > 1 && word.startsWith(typed)) return 3;
    const most = typed.length >= 8 ? 2 : typed.length >= 4 ? 1 : 0;
    if (!most || word.length < 4 || word[0] !== typed[0] && typed.length < 6) return 0;
    const slips = Math.min(distance(typed, word, most), distance(typed, word.slice(0, typed.length), most));
    return slips <= most ? (slips === 1 ? 2 : 1) : 0;
  }

  function prepare(index) {
    return index.map((entry) => ({
      entry,
      texts: [[entry.title, 3], ...entry.names.map((name) => [name, 2]), ...entry.words.map((word) => [word, 1])]
        .map(([text, weight]) => ({ text, weight, plain: normal(text), words: normal(text).split(" ") })),
    }));
  }

  // Entries that have every word typed, the best first, with the name that was met: [{entry, score, why}].
  function find(prepared, query) {
    const plain = normal(query);
    if (!plain) return [];
    const all = plain.split(" ");
    const strong = all.filter((word) => !WEAK.has(word));
    const typed = strong.length ? strong : all;
    const found = [];
    for (const { entry, texts } of prepared) {
      let score = entry.kind === "area" ? 2 : entry.kind === "right" ? 1 : 0;
      let best = { value: 0, text: null };
      const every = typed.every((word) => {
        let top = 0;
        for (const text of texts) {
          for (const other of text.words) {
            const met = meets(word, other);
            const value = met && met * 2 + text.weight;
            top = Math.max(top, value);
            if (value > best.value) best = { value, text };
          }
        }
        score += top;
        return top > 0;
      });
      if (!every) continue;
      let whole = 0;
      for (const text of texts) {
        const value = text.plain === plain ? 30 + 5 * text.weight : text.plain.startsWith(plain) ? 5 * text.weight : 0;
        if (value > whole) { whole = value; best = { value, text }; }
      }
      // A word that names nothing by itself still tells two entries apart.
      for (const word of all) if (texts.some((text) => text.words.includes(word))) score += 1;
      found.push({ entry, score: score + whole, why: best.text && best.text.weight === 2 ? best.text.text : "" });
    }
    return found.sort((a, b) => b.score - a.score || (a.entry.title < b.entry.title ? -1 : 1));
  }

  global.vccFind = { normal, prepare, find };
  if (typeof document === "undefined") return;

  // From this script, assets/search.js, back to the root of the site, whatever page it is on.
  const root = new URL("../", document.currentScript.src).href;

  function start(box) {
    const prepared = prepare(global.vccSearchIndex || []);
    const kinds = (box.dataset.kinds || "").split(" ").filter(Boolean);
    const rows = kinds.length ? prepared.filter((row) => kinds.includes(row.entry.kind)) : prepared;
    const input = box.querySelector("input");
    const count = box.querySelector(".search__count");
    const list = box.querySelector(".search__results");
    const complete = document.getElementById("everything");
    let waiting = 0;

    function show() {
      const typed = normal(input.value) !== "";
      const found = find(rows, input.value).slice(0, 25);
      list.replaceChildren(...found.map(({ entry, why }) => {
        const item = document.createElement("li");
        const link = document.createElement("a");
        link.href = root + box.dataset.prefix + entry.path;
        link.textContent = entry.title;
        item.append(link);
        const more = why && why !== entry.title ? why : entry.note;
        if (more) {
          const text = document.createElement("span");
          text.className = "search__why";
          text.textContent = more;
          item.append(text);
        }
        return item;
      }));
      if (complete) complete.hidden = typed && found.length > 0;
      // Said once typing pauses, not at every letter.
      clearTimeout(waiting);
      waiting = setTimeout(() => {
        count.textContent = !typed ? "" : !found.length ? box.dataset.none
          : found.length === 1 ? box.dataset.one : box.dataset.many.replace("{count}", String(found.length));
      }, 300);
    }

    input.addEventListener("input", show);
    input.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" && event.key !== "ArrowDown") return;
      const first = list.querySelector("a");
      if (first) { event.preventDefault(); first.focus(); }
    });
    box.hidden = false;
    if (input.value) show();
  }

  document.querySelectorAll(".search").forEach(start);
})(globalThis);
