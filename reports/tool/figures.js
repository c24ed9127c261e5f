/* Figures as readers see them: which rows a view shows, the table, the words, the CSV, the shapes of the graph.
   No part of this file knows the page; it runs in Node's tests as it does in a browser. */
"use strict";

const vccFigures = (() => {
  const MOST_PLACES = 4;
  const REASONS = {
    c: "withheld so that nobody can be identified",
    x: "not available: not collected, or no rate can be made",
    z: "not applicable: no such service or duty there",
    w: "not submitted: the return did not come, or not from every sender",
  };
  const NO_ROW = "not in the published figures";
  const GROUP_NAMES = {
    nation: "all areas",
    country: "country",
    region: "region",
    criminal_justice_board: "criminal justice board",
  };
  const COLUMNS = [
    "place_kind", "place_code", "place_name", "period_code", "period_label", "body_kind", "measure_id", "measure",
    "breakdown", "breakdown_value", "breakdown_label", "collected", "base_count", "met_count", "reported_count",
    "rate_percent", "rate_is_about", "rate_lower_percent", "rate_upper_percent", "rate_band", "published_as",
    "obs_status", "obs_note", "parts_expected", "parts_published", "release",
  ];

  const byId = (list, id) => list.find((entry) => entry.id === id);

  /* A view: {places: [id], measure, breakdown, from, to, release}; breakdown is "" for all cases. */

  function toHash(view) {
    const parts = { areas: view.places.join(","), measure: view.measure };
    if (view.breakdown) parts.breakdown = view.breakdown;
    Object.assign(parts, { from: view.from, to: view.to, release: view.release });
    return "#" + Object.entries(parts).map(([name, value]) => name + "=" + encodeURIComponent(value)).join("&");
  }

  function fromHash(hash) {
    const parts = {};
    for (const part of hash.replace(/^#/, "").split("&")) {
      const [name, value = ""] = part.split("=");
      try {
        parts[name] = decodeURIComponent(value);
      } catch {
        parts[name] = value;
      }
    }
    if (!parts.areas && !parts.measure) return null;
    return {
      places: (parts.areas || "").split(",").filter(Boolean),
      measure: parts.measure || "",
      breakdown: parts.breakdown || "",
      from: parts.from || "",
      to: parts.to || "",
      release: parts.release || "",
    };
  }

  /* Faults of a view as [id of the control, message]; an empty list if it can be drawn. */
  function faults(index, view) {
    const found = [];
    const unknown = view.places.filter((id) => !byId(index.places, id));
    if (unknown.length) found.push(["place", "This release has no area called " + unknown.join(", ")]);
    else if (!view.places.length) found.push(["place", "Choose an area"]);
    if (view.places.length > MOST_PLACES)
      found.push(["place", "Choose up to four areas. Remove one before you add another"]);
    const measure = byId(index.measures, view.measure);
    if (!view.measure) found.push(["measure", "Choose a measure"]);
    else if (!measure) found.push(["measure", "This release has no measure called " + view.measure]);
    else if (view.breakdown && !measure.breakdowns.includes(view.breakdown))
      found.push(["breakdown", "This measure has no such breakdown. Choose another, or all cases"]);
    const codes = index.periods.map(([code]) => code);
    for (const [id, word] of [["from", "first"], ["to", "last"]])
      if (measure && !codes.includes(view[id])) found.push([id, "Choose the " + word + " period"]);
    if (codes.includes(view.from) && codes.includes(view.to) && view.from > view.to)
      found.push(["to", "The last period must not be before the first"]);
    return found;
  }

  /* Places whose figures a view shows: with a breakdown, the region of an area; each once. */
  function shownPlaces(index, view) {
    const ids = view.places.map((id) => (view.breakdown ? byId(index.places, id).breakdowns || id : id));
    return [...new Set(ids)].map((id) => byId(index.places, id));
  }

  /* Names of the scripts that hold the figures of a view. */
  function filesOf(index, view) {
    return shownPlaces(index, view).map((place) => place.id + (view.breakdown ? ".breakdowns" : ""));
  }

  function placeName(place) {
    return place.kind === "area" ? place.name : place.name + " (" + GROUP_NAMES[place.kind] + ")";
  }

  function decoded(index, place, measure, breakdown, cells) {
    const names = new Map(breakdown ? breakdown.values : []);
    return cells.map((cell) => {
      const row = { place };
      index.row.forEach((name, number) => {
        row[name] = cell[number] ?? null;
      });
      [row.periodCode, row.periodLabel] = index.periods[row.period];
      [row.basisCode, row.collected] = index.bases[row.basis];
      row.publishedAs = row.form === null ? "" : index.forms[row.form][0];
      row.valueLabel = row.value === null ? "" : names.get(row.value) ?? row.value;
      row.number = measure.percent ? row.rate : row.reported;
      return row;
    });
  }

  /* The rows of a view, by place, period and value. `data` maps the name of a script to its rows by measure. */
  function rowsOf(index, view, data) {
    const measure = byId(index.measures, view.measure);
    const breakdown = view.breakdown ? byId(index.breakdowns, view.breakdown) : null;
    const key = view.measure + (breakdown ? "|" + breakdown.id : "");
    const orders = new Map((breakdown ? breakdown.values : []).map(([value], number) => [value, number]));
    return shownPlaces(index, view).flatMap((place) => {
      const cells = (data[place.id + (breakdown ? ".breakdowns" : "")] || {})[key] || [];
      const own = decoded(index, place, measure, breakdown, cells)
        .filter((row) => row.periodCode >= view.from && row.periodCode <= view.to);
      sortOut(own);
      return own.sort(
        (one, other) =>
          one.group - other.group ||
          one.period - other.period ||
          (orders.get(one.value) ?? 0) - (orders.get(other.value) ?? 0),
      );
    });
  }

  /* Ways of collecting are told apart within a place, the usual one first: they never make one series. A period
     without a figure was collected in no way and stands with the usual one. */
  function sortOut(rows) {
    const counts = new Map();
    for (const row of rows) {
      const way = row.basisCode.startsWith("none|") ? null : row.basisCode;
      row.way = way;
      if (way !== null) counts.set(way, (counts.get(way) || 0) + 1 + (row.number !== null ? 1000 : 0));
    }
    const ways = [...counts.keys()].sort((one, other) => counts.get(other) - counts.get(one) || (one < other ? -1 : 1));
    for (const row of rows) row.group = Math.max(0, ways.indexOf(row.way));
  }

  /* Periods for which a measure may have figures: years for feedback and breakdowns, else quarters. */
  function periodsOf(index, measureId, breakdown) {
    const measure = byId(index.measures, measureId);
    if (!measure) return [];
    const yearly = measure.kind === "feedback" || Boolean(breakdown);
    return index.periods.filter(([code]) => code.endsWith("-FY") === yearly);
  }

  const thousands = (number) => String(number).replace(/\B(?=(\d{3})+$)/g, ",");

  /* A figure as it is printed: never blank where it is withheld, whatever was asked for. */
  function shown(row, name) {
    if (name === "rate" && row.rate === null && row.band) return row.band;
    const value = name === "interval" ? row.lower : row[name];
    if (value === null) return row.status ? "[" + row.status + "]" : "";
    if (name === "rate") return (row.about ? "about " : "") + value + "%";
    if (name === "interval") return row.lower + "% to " + row.upper + "%";
    return thousands(value);
  }

  function remarks(row) {
    const found = [];
    if (row.collected) found.push(row.collected);
    if (row.areas) found.push(row.areas[1] + " of " + row.areas[0] + (row.value === null ? " areas" : " regions"));
    if (row.note === "r") found.push("Revised");
    return found.join("; ");
  }

  /* The table: {caption, head, rows, statuses}; the first `headers` cells of a row are its headers. */
  function tableOf(index, view, rows) {
    const measure = byId(index.measures, view.measure);
    const breakdown = view.breakdown ? byId(index.breakdowns, view.breakdown) : null;
    const feedback = measure.kind === "feedback";
    const figures = measure.percent
      ? [
          [feedback ? "Good answers" : "Rate", "rate"],
          ["95% interval", "interval"],
          [feedback ? "All answers" : "Cases that count", "base"],
          [feedback ? "Good answers (number)" : "Cases met", "met"],
        ]
      : [["Number", "reported"]];
    /* What is the same in all rows stands in the caption: a narrow window then has room for the figures. */
    const places = shownPlaces(index, view);
    const hasArea = places.length > 1;
    const hasPeriod = !breakdown || new Set(rows.map((row) => row.period)).size !== 1;
    const same = [...(hasArea ? [] : [placeName(places[0])]), ...(hasPeriod ? [] : [rows[0].periodLabel])];
    const noted = rows.some((row) => remarks(row));
    return {
      caption: [titleOf(index, view), ...same].join(", "),
      head: [
        ...(hasArea ? ["Area"] : []),
        ...(hasPeriod ? ["Period"] : []),
        ...(breakdown ? [breakdown.name] : []),
        ...figures.map(([name]) => name),
        ...(noted ? ["Notes"] : []),
      ],
      headers: Number(hasArea) + Number(hasPeriod) + (breakdown ? 1 : 0),
      figures: figures.length,
      rows: rows.map((row) => [
        ...(hasArea ? [placeName(row.place)] : []),
        ...(hasPeriod ? [row.periodLabel] : []),
        ...(breakdown ? [row.valueLabel] : []),
        ...figures.map(([, name]) => shown(row, name)),
        ...(noted ? [remarks(row)] : []),
      ]),
      statuses: Object.keys(REASONS)
        .filter((status) => rows.some((row) => row.status === status))
        .map((status) => [status, REASONS[status]]),
    };
  }

  const FORMULA = /^\s*[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]/;

  function csvCell(value) {
    if (value === null || value === undefined) return "";
    if (typeof value !== "string") return String(value);
    const text = FORMULA.test(value) ? "'" + value : value;
    return /[",\r\n]/.test(text) ? '"' + text.replaceAll('"', '""') + '"' : text;
  }

  /* RFC 4180; an empty cell with its status is a figure that is not given. */
  function csvOf(index, view, rows) {
    const measure = byId(index.measures, view.measure);
    const lines = rows.map((row) => [
      row.place.kind, row.place.code, row.place.name, row.periodCode, row.periodLabel, measure.body,
      measure.id.slice(measure.body.length + 1), measure.text, view.breakdown, row.value, row.valueLabel,
      row.basisCode.replaceAll("|", " "), row.base, row.met, row.reported, row.rate,
      row.rate === null ? null : row.about ? "true" : "false", row.lower, row.upper, row.band, row.publishedAs,
      row.status, row.note, row.areas && row.areas[0], row.areas && row.areas[1], index.pin,
    ]);
    return [COLUMNS, ...lines].map((line) => line.map(csvCell).join(",") + "\r\n").join("");
  }

  /* A quarter by its months alone: the code of the financial year is for tables. */
  const spoken = (row) => row.periodLabel.replace(/ \(.*\)$/, "");

  function told(row, measure) {
    if (!measure.percent) return thousands(row.number);
    const interval = row.lower === null ? "" : " (95% interval " + row.lower + "% to " + row.upper + "%)";
    return (row.about ? "about " : "") + row.rate + "%" + interval;
  }

  function missing(rows, what) {
    const sentences = [];
    const many = (number) => (number === rows.length ? (number === 1 ? "The figure is" : "All " + number + " figures are")
      : number + " of " + rows.length + " figures " + (number === 1 ? "is" : "are"));
    for (const status of Object.keys(REASONS)) {
      const without = rows.filter((row) => row.status === status);
      if (!without.length) continue;
      const banded = without.filter((row) => row.band).length;
      const based = without.filter((row) => !row.band && row.base !== null).length;
      const forms = [];
      if (banded) forms.push(banded + " " + (banded === 1 ? "has" : "have") + " a band in the table instead");
      if (based) forms.push(based + " " + (based === 1 ? "has" : "have") + " only " + what + " in the table");
      sentences.push(many(without.length) + " " + REASONS[status] + (forms.length ? " (" + forms.join("; ") + ")" : "") + ".");
    }
    return sentences;
  }

  function compared(first, last, measure) {
    if (!measure.percent) return "";
    if (first.upper < last.lower) return " This is higher: the two intervals do not overlap.";
    if (first.lower > last.upper) return " This is lower: the two intervals do not overlap.";
    return " The two are too close to tell apart.";
  }

  /* What the graph shows, a paragraph for each place: the same facts for those who do not see it. */
  function sentencesOf(index, view, rows) {
    const measure = byId(index.measures, view.measure);
    const breakdown = view.breakdown ? byId(index.breakdowns, view.breakdown) : null;
    return shownPlaces(index, view).map((place) => {
      const own = rows.filter((row) => row.place === place);
      const name = placeName(place);
      if (!own.length) return name + ": " + NO_ROW + " for this measure and time.";
      const groups = [...new Set(own.map((row) => row.group))];
      return groups
        .map((group) => {
          const alike = own.filter((row) => row.group === group);
          const way = groups.length > 1 ? alike.find((row) => row.collected)?.collected : "";
          return sentence(way ? name + " (" + way.toLowerCase() + ")" : name, alike, measure, breakdown);
        })
        .join(" ");
    });
  }

  function sentence(name, own, measure, breakdown) {
    const what = measure.kind === "feedback" ? "the number of answers" : "the cases that count";
    const given = own.filter((row) => row.number !== null);
    const gaps = missing(own, what);
    if (!given.length) return [name + ": no figure to draw.", ...gaps].join(" ");
    if (breakdown) {
      const newest = given.filter((row) => row.period === given.at(-1).period);
      const ordered = [...newest].sort((one, other) => one.number - other.number);
      const part = (row) => told(row, measure) + " for " + quoted(row.valueLabel);
      const [low, high] = [ordered[0], ordered.at(-1)];
      const range = low === high ? part(low) : "from " + part(low) + " to " + part(high);
      const close = low !== high && low.upper >= high.lower ? " These two are too close to tell apart." : "";
      return [name + ", " + spoken(newest[0]) + ": " + range + "." + close, ...gaps].join(" ");
    }
    const [first, last] = [given[0], given.at(-1)];
    const latest = name + ": " + told(last, measure) + " in " + spoken(last);
    if (first === last) return [latest + ".", ...gaps].join(" ");
    const before = ", and " + told(first, measure) + " in " + spoken(first) + ".";
    return [latest + before + compared(first, last, measure), ...gaps].join(" ");
  }

  const quoted = (text) => "“" + text + "”";

  function titleOf(index, view) {
    const measure = byId(index.measures, view.measure);
    const breakdown = view.breakdown ? byId(index.breakdowns, view.breakdown) : null;
    const body = index.bodies.find(([code]) => code === measure.body);
    return measure.text + ", " + (body ? body[1] : measure.body) + (breakdown ? ", by " + breakdown.name.toLowerCase() : "");
  }

  /* A text in lines of at most `most` letters; a longer word stays whole. */
  function wrapped(text, most) {
    const lines = [];
    for (const word of text.split(/\s+/).filter(Boolean)) {
      const last = lines.length - 1;
      if (last >= 0 && (lines[last] + " " + word).length <= most) lines[last] += " " + word;
      else lines.push(word);
    }
    return lines.length ? lines : [""];
  }

  /* Points for the graph: a line runs only through neighbouring periods collected in the same way. */
  function pointsOf(index, view, rows) {
    const periods = periodsOf(index, view.measure, view.breakdown).map(([code]) => code);
    const series = shownPlaces(index, view);
    const points = [];
    let piece = 0;
    let before = null;
    for (const row of rows) {
      if (row.number === null) continue;
      const joined =
        before && before.place === row.place && before.group === row.group &&
        periods.indexOf(row.periodCode) === periods.indexOf(before.periodCode) + 1;
      if (!joined || view.breakdown) piece += 1;
      points.push({
        period: row.periodCode,
        category: row.value,
        number: row.number,
        lower: row.lower ?? row.number,
        upper: row.upper ?? row.number,
        series: placeName(row.place),
        turn: series.indexOf(row.place),
        other: row.group > 0,
        piece,
      });
      before = row;
    }
    const sizes = new Map();
    for (const point of points) sizes.set(point.piece, (sizes.get(point.piece) || 0) + 1);
    return points.map((point) => ({ ...point, alone: sizes.get(point.piece) === 1 }));
  }

  return {
    COLUMNS, MOST_PLACES, byId, csvOf, faults, filesOf, fromHash, periodsOf, placeName, pointsOf, rowsOf,
    sentencesOf, shownPlaces, tableOf, titleOf, toHash, wrapped,
  };
})();

if (typeof module !== "undefined") module.exports = vccFigures;
