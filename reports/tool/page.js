/* The form, the result and the link: what a reader does with the tool. All text goes in as text, never as markup. */
"use strict";

(() => {
  const $ = (id) => document.getElementById(id);
  const { MOST_PLACES, byId } = vccFigures;
  const data = {};
  const waiting = {};
  let index = null;
  let chosen = [];
  let shown = null;
  let drawing = 0;

  /* The scripts of figures call these two. */
  window.vccIndex = (read) => {
    index = read;
  };
  window.vccData = (file, pin, rows) => {
    data[file] = { pin, rows };
  };

  function element(name, text, attributes = {}) {
    const made = document.createElement(name);
    if (text !== null) made.textContent = text;
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    return made;
  }

  /* A script of figures, once; a second call waits for the first, and a failed one is tried again. */
  function load(file) {
    waiting[file] ??= new Promise((resolve, reject) => {
      const script = element("script", null, { src: "data/" + encodeURIComponent(file) + ".js" });
      script.onload = () => {
        if (data[file]?.pin === index.pin) return resolve();
        delete waiting[file];
        reject(new Error("This site was updated while the page was open. Reload the page, then draw the graph again"));
      };
      script.onerror = () => {
        delete waiting[file];
        script.remove();
        reject(new Error("The figures could not be loaded. Check your connection, then draw the graph again"));
      };
      document.head.append(script);
    });
    return waiting[file];
  }

  /* --- the form --- */

  function options(list, value) {
    return list.map(([code, name]) => {
      const made = element("option", name, { value: code });
      made.selected = code === value;
      return made;
    });
  }

  function grouped(groups, value) {
    return groups
      .filter(([, list]) => list.length)
      .map(([name, list]) => {
        const made = element("optgroup", null, { label: name });
        made.append(...options(list, value));
        return made;
      });
  }

  const named = (place) => [place.id, place.name];

  function fillPlaces() {
    const areas = index.places.filter((place) => place.kind === "area");
    const of = (...kinds) => index.places.filter((place) => kinds.includes(place.kind)).map(named);
    const like = likeOf();
    const regions = [...new Set(areas.map((place) => place.region))];
    const groups = [
      ...(like ? [["Areas like " + like.name, like.like.map((id) => byId(index.places, id)).filter(Boolean).map(named)]] : []),
      ...regions.map((region) => [region, areas.filter((place) => place.region === region).map(named)]),
      ["To compare with: England and Wales", of("nation", "country")],
      ["To compare with: regions", of("region")],
      ["To compare with: criminal justice boards of several areas", of("criminal_justice_board")],
    ];
    $("place").replaceChildren(element("option", "Choose an area", { value: "" }), ...grouped(groups, ""));
  }

  function likeOf() {
    return chosen.map((id) => byId(index.places, id)).find((place) => place?.like?.length);
  }

  function fillMeasures(value) {
    const right = Number($("right").value);
    const words = { statistic: "statistics", feedback: "what victims said" };
    const groups = index.bodies.flatMap(([body, name]) =>
      ["statistic", "feedback"].map((kind) => [
        name + ": " + words[kind],
        index.measures
          .filter((entry) => entry.right === right && entry.body === body && entry.kind === kind)
          .map((entry) => [entry.id, entry.text]),
      ]),
    );
    const first = right ? "Choose a measure" : "Choose a right first";
    $("measure").replaceChildren(element("option", first, { value: "" }), ...grouped(groups, value));
  }

  function fillBreakdowns(value) {
    const measure = byId(index.measures, $("measure").value);
    const offered = measure ? measure.breakdowns.map((id) => byId(index.breakdowns, id)) : [];
    $("breakdown").replaceChildren(
      ...options([["", "None: all cases together"], ...offered.map((entry) => [entry.id, entry.name])], value));
    $("breakdown-hint").textContent = measure && !offered.length
      ? "Nothing is published by crime type or characteristic for this measure."
      : "Published by region and financial year. An area is shown as its region.";
  }

  function fillPeriods(from, to) {
    const periods = vccFigures.periodsOf(index, $("measure").value, $("breakdown").value);
    const codes = periods.map(([code]) => code);
    $("from").replaceChildren(...options(periods, codes.includes(from) ? from : codes[0]));
    $("to").replaceChildren(...options(periods, codes.includes(to) ? to : codes.at(-1)));
  }

  function listChosen() {
    const rows = chosen.map((id) => {
      const place = byId(index.places, id);
      const name = place ? vccFigures.placeName(place) : id;
      const row = element("li", null, { class: "tool-chosen__item" });
      const remove = element("button", "Remove", { type: "button", class: "tool-link" });
      remove.append(element("span", " " + name, { class: "govuk-visually-hidden" }));
      remove.addEventListener("click", () => removePlace(id));
      row.append(element("span", name), remove);
      return row;
    });
    $("chosen").replaceChildren(...rows);
    $("chosen").hidden = !rows.length;
    const like = likeOf();
    $("like").hidden = !like;
    if (like) $("like").textContent = "Add areas like " + like.name;
  }

  function say(text) {
    $("told").textContent = text;
  }

  function counted() {
    return " " + chosen.length + " of up to " + MOST_PLACES + " chosen.";
  }

  function tooMany() {
    complain([["place", "Choose up to four areas. Remove one before you add another"]]);
  }

  function addPlaces(ids) {
    const added = ids.filter((id) => !chosen.includes(id));
    if (chosen.length + added.length > MOST_PLACES) return tooMany();
    chosen = [...chosen, ...added];
    complain([]);
    listChosen();
    fillPlaces();
    const names = added.map((id) => vccFigures.placeName(byId(index.places, id)));
    say((names.length ? names.join(", ") + " added." : "Already chosen.") + counted());
  }

  function removePlace(id) {
    const place = chosen.indexOf(id);
    chosen = chosen.filter((other) => other !== id);
    complain([]);
    listChosen();
    fillPlaces();
    const buttons = $("chosen").querySelectorAll("button");
    (buttons[Math.min(place, buttons.length - 1)] || $("place")).focus();
    say(vccFigures.placeName(byId(index.places, id) || { kind: "area", name: id }) + " removed." + counted());
  }

  function addLike() {
    const like = likeOf();
    const others = like.like.filter((id) => !chosen.includes(id)).slice(0, MOST_PLACES - chosen.length);
    if (chosen.length >= MOST_PLACES) return tooMany();
    addPlaces(others);
  }

  /* Errors as GOV.UK shows them: a summary that takes the focus, and a message at each control. */
  function complain(faults) {
    for (const message of document.querySelectorAll(".tool-error")) message.remove();
    for (const id of ["place", "right", "measure", "breakdown", "from", "to"]) {
      $(id).classList.remove("govuk-select--error");
      $(id).removeAttribute("aria-invalid");
      $(id).setAttribute("aria-describedby", $(id).dataset.hint || "");
      if (!$(id).dataset.hint) $(id).removeAttribute("aria-describedby");
      $(id).closest(".govuk-form-group").classList.remove("govuk-form-group--error");
    }
    $("errors").hidden = !faults.length;
    if (!faults.length) return;
    $("error-list").replaceChildren(
      ...faults.map(([id, message]) => {
        const row = element("li", null);
        const link = element("a", message, { href: "#" + id });
        /* The address holds the view, so the link moves the focus and leaves the address alone. */
        link.addEventListener("click", (event) => {
          event.preventDefault();
          $(id).focus();
        });
        row.append(link);
        return row;
      }),
    );
    for (const [id, message] of faults) {
      const control = $(id);
      if (!control) continue;
      const text = element("p", null, { class: "govuk-error-message tool-error", id: id + "-error" });
      text.append(element("span", "Error: ", { class: "govuk-visually-hidden" }), message);
      control.before(text);
      control.classList.add("govuk-select--error");
      control.setAttribute("aria-invalid", "true");
      control.setAttribute("aria-describedby", [control.dataset.hint, text.id].filter(Boolean).join(" "));
      control.closest(".govuk-form-group").classList.add("govuk-form-group--error");
    }
    $("errors").focus();
  }

  function viewOfForm() {
    const waitingPlace = $("place").value;
    const places = waitingPlace && !chosen.includes(waitingPlace) ? [...chosen, waitingPlace] : chosen;
    return {
      places,
      measure: $("measure").value,
      breakdown: $("breakdown").value,
      from: $("from").value,
      to: $("to").value,
      release: index.pin,
    };
  }

  function fillForm(view) {
    chosen = view.places;
    const measure = byId(index.measures, view.measure);
    $("right").value = measure ? String(measure.right) : "";
    fillMeasures(view.measure);
    fillBreakdowns(view.breakdown);
    fillPeriods(view.from, view.to);
    listChosen();
    fillPlaces();
  }

  /* --- the result --- */

  async function show(view) {
    const turn = ++drawing;
    const faults = vccFigures.faults(index, view);
    if (faults.length) {
      clear();
      return complain(faults);
    }
    complain([]);
    try {
      const files = vccFigures.filesOf(index, view).filter(hasFile);
      await Promise.all(files.map(load));
    } catch (fault) {
      if (turn === drawing) complain([["draw", fault.message]]);
      return;
    }
    if (turn !== drawing) return;
    const rows = vccFigures.rowsOf(index, view, Object.fromEntries(Object.entries(data).map(([file, { rows }]) => [file, rows])));
    shown = { view, rows, sentences: vccFigures.sentencesOf(index, view, rows) };
    warn(view);
    $("result").hidden = false;
    $("rest").hidden = false;
    $("result-title").textContent = vccFigures.titleOf(index, view);
    fillTable(view, rows);
    $("link").setAttribute("href", vccFigures.toHash({ ...view, release: index.pin }));
    await redraw();
    if (turn !== drawing) return;
    $("said").replaceChildren(...shown.sentences.map((text) => element("p", text)));
    if ($("result").getBoundingClientRect().top > window.innerHeight * 0.6) $("result").scrollIntoView();
  }

  /* Boards and countries have no breakdowns: asking for a file that is not there would only fail. */
  function hasFile(file) {
    const [id, kind] = file.split(".");
    return !kind || byId(index.places, id).breakdowns === id;
  }

  async function redraw() {
    if (!shown) return;
    const current = shown;
    const width = Math.floor($("graph").clientWidth);
    current.width = width;
    const picture = await vccGraph.draw(index, current.view, current.rows, width);
    const svg = await picture.toSVG();
    picture.finalize();
    if (shown !== current || current.width !== width) return;
    const image = $("picture");
    image.alt = "Graph: " + vccFigures.titleOf(index, current.view) + ". The text and the table below say the same.";
    image.src = "data:image/svg+xml;charset=utf-8," + encodeURIComponent(svg);
    image.hidden = !current.rows.some((row) => row.number !== null);
    $("nothing").hidden = !image.hidden;
    $("graph").dataset.drawn = String(width);
  }

  function described(svg, { view, sentences }) {
    const words = (name, text) => {
      const made = document.createElementNS("http://www.w3.org/2000/svg", name);
      made.textContent = text;
      return new XMLSerializer().serializeToString(made);
    };
    const title = words("title", vccFigures.titleOf(index, view));
    return svg.replace(/^<svg[^>]*>/, (start) => start + title + words("desc", sentences.join(" ")));
  }

  function fillTable(view, rows) {
    const table = vccFigures.tableOf(index, view, rows);
    const isFigure = (place) => place >= table.headers && place < table.headers + table.figures;
    const cell = (name, text, place) => element(name, text, isFigure(place) ? { class: "numeric" } : {});
    const head = element("tr", null);
    head.append(...table.head.map((text, place) => {
      const made = cell("th", text, place);
      made.scope = "col";
      return made;
    }));
    $("table-head").replaceChildren(head);
    $("table-body").replaceChildren(
      ...table.rows.map((texts) => {
        const row = element("tr", null);
        row.append(...texts.map((text, place) => {
          const made = cell(place < table.headers ? "th" : "td", text, place);
          if (place < table.headers) made.scope = "row";
          return made;
        }));
        return row;
      }),
    );
    $("table-caption").textContent = table.caption;
    $("statuses").replaceChildren(...table.statuses.map(([status, text]) => element("li", "[" + status + "] " + text)));
    $("statuses").hidden = !table.statuses.length;
  }

  /* A link made with other figures says so for as long as its view is shown. */
  function warn(view) {
    const old = Boolean(view.release) && view.release !== index.pin;
    $("other-release").hidden = !old;
    if (!old) return;
    $("other-release-text").textContent =
      "This link was made with release " + view.release.replace("~", ", state ") + ". The figures shown here are those of release " +
      index.pin.replace("~", ", state ") + ", and may differ from those the link was made for.";
  }

  function clear() {
    shown = null;
    $("result").hidden = true;
    $("rest").hidden = true;
    $("other-release").hidden = true;
    $("said").replaceChildren();
  }

  /* --- downloads --- */

  function save(content, type, ending) {
    const name = ["victims-code", shown.view.measure, index.release.id].join("-").replace(/[^\w.-]+/g, "-") + ending;
    const address = URL.createObjectURL(content instanceof Blob ? content : new Blob([content], { type }));
    const link = element("a", null, { href: address, download: name });
    link.click();
    setTimeout(() => URL.revokeObjectURL(address), 10000);
  }

  /* By itself a picture needs its title; on the page it stands under the heading. */
  const titled = () => vccGraph.draw(index, shown.view, shown.rows, Math.max(shown.width, 600), true);

  const downloads = {
    csv: () => save(vccFigures.csvOf(index, shown.view, shown.rows), "text/csv;charset=utf-8", ".csv"),
    svg: async () => save(described(await (await titled()).toSVG(), shown), "image/svg+xml", ".svg"),
    png: async () => {
      const canvas = await (await titled()).toCanvas(2);
      canvas.toBlob((blob) => save(blob, "image/png", ".png"), "image/png");
    },
  };

  /* --- from the address, and back --- */

  function follow() {
    const view = vccFigures.fromHash(location.hash);
    if (!view) return clear();
    if (shown && vccFigures.toHash(shown.view) === vccFigures.toHash(view)) return;
    fillForm(view);
    return show({ ...view, from: view.from || $("from").value, to: view.to || $("to").value });
  }

  function start() {
    $("tool-links").hidden = true;
    $("tool").hidden = false;
    $("right").replaceChildren(
      ...options([["", "Choose a right"], ...index.rights.map(([number, title]) => [String(number), number + ". " + title])], ""));
    fillForm({ places: [], measure: "", breakdown: "", from: "", to: "" });
    $("add").addEventListener("click", () => {
      if ($("place").value) addPlaces([$("place").value]);
      else complain([["place", "Choose an area"]]);
    });
    $("like").addEventListener("click", addLike);
    $("right").addEventListener("change", () => {
      fillMeasures("");
      fillBreakdowns("");
      fillPeriods("", "");
    });
    $("measure").addEventListener("change", () => {
      fillBreakdowns($("breakdown").value);
      fillPeriods($("from").value, $("to").value);
    });
    $("breakdown").addEventListener("change", () => fillPeriods($("from").value, $("to").value));
    $("form").addEventListener("submit", (event) => {
      event.preventDefault();
      const view = viewOfForm();
      if (!vccFigures.faults(index, view).length) {
        fillForm(view);
        shown = null;
        const hash = vccFigures.toHash(view);
        if (location.hash !== hash) history.pushState(null, "", hash);
      }
      show(view);
    });
    for (const [name, download] of Object.entries(downloads)) $(name).addEventListener("click", download);
    window.addEventListener("hashchange", follow);
    window.addEventListener("popstate", follow);
    new ResizeObserver(() => {
      if (shown?.width && Math.floor($("graph").clientWidth) !== shown.width) redraw();
    }).observe($("graph"));
    follow();
  }

  /* The index comes as the next script. */
  document.addEventListener("DOMContentLoaded", start);
})();
