// What the data tool works out of published rows, by hand-made rows; run by test_data_tool.py.
"use strict";
const test = require("node:test");
const assert = require("node:assert/strict");
const path = require("node:path");
const folder = path.join(__dirname, "../../../reports/tool");
const figures = (globalThis.vccFigures = require(path.join(folder, "figures.js")));
const graph = require(path.join(folder, "graph.js"));

const COLUMNS = ["period", "basis", "base", "met", "reported", "rate", "lower", "upper", "about", "band", "form",
  "status", "note", "value", "areas"];
const INDEX = {
  pin: "2025-26-Q3/v1.0.0~abc",
  release: { id: "2025-26-Q3/v1.0.0" },
  row: COLUMNS,
  colours: ["#111", "#222", "#333", "#444"],
  periods: [
    ["2025-26-FY", "April 2025 to March 2026"],
    ["2025-26-Q1", "April to June 2025 (2025/26 Q1)"],
    ["2025-26-Q2", "July to September 2025 (2025/26 Q2)"],
    ["2025-26-Q3", "October to December 2025 (2025/26 Q3)"],
    ["2025-26-Q4", "January to March 2026 (2025/26 Q4)"],
    ["2026-27-Q1", "April to June 2026 (2026/27 Q1)"],
  ],
  bases: [["census|all_cases", ""], ["none|none", ""], ["random_sample|recent_cases", "Random sample, recent cases"]],
  forms: [["value", "Value"], ["about", "About"], ["band", "Band"], ["base", "Base only"], ["suppressed", "Suppressed"]],
  bodies: [["police", "Police force"]],
  measures: [
    { id: "police.r02_s01", right: 2, kind: "statistic", body: "police", text: "=Recorded, in time", percent: true, breakdowns: ["sex"] },
    { id: "police.r12_n", right: 12, kind: "statistic", body: "police", text: "Complaints", percent: false, breakdowns: [] },
    { id: "police.r02_f01", right: 2, kind: "feedback", body: "police", text: "Asked", percent: true, breakdowns: [] },
  ],
  breakdowns: [{ id: "sex", name: "Sex", values: [["M", "Male"], ["F", "Female"]] }],
  places: [
    { id: "A", code: "A", kind: "area", name: "Kent", breakdowns: "region-S", like: [] },
    { id: "B", code: "B", kind: "area", name: "<b>Sussex</b>", breakdowns: "region-S", like: [] },
    { id: "C", code: "C", kind: "area", name: "Essex", breakdowns: "region-S", like: [] },
    { id: "region-S", code: "S", kind: "region", name: "South", breakdowns: "region-S" },
    { id: "nation-N", code: "N", kind: "nation", name: "England and Wales", breakdowns: "nation-N" },
  ],
};
const row = (values) => COLUMNS.map((name) => values[name] ?? null);
const rate = (period, percent, lower, upper, more = {}) =>
  row({ period, basis: 0, base: 200, met: 2 * percent, rate: percent, lower, upper, form: 0, note: "p", ...more });
const withheld = (period, more = {}) => row({ period, basis: 0, form: 4, status: "c", note: "p", ...more });
const VIEW = {
  places: ["A"], measure: "police.r02_s01", breakdown: "", from: "2025-26-Q1", to: "2026-27-Q1", release: INDEX.pin,
};
const read = (cells, view = VIEW) => figures.rowsOf(INDEX, view, { A: { [view.measure]: cells } });
const said = (cells, view = VIEW) => figures.sentencesOf(INDEX, view, read(cells, view)).join("\n");

test("a link holds the whole view and gives it back", () => {
  const view = { ...VIEW, places: ["A", "nation-N"], breakdown: "sex" };
  assert.deepEqual(figures.fromHash(figures.toHash(view)), view);
  assert.equal(figures.toHash(view).includes(" "), false);
  assert.equal(figures.fromHash(""), null);
  assert.equal(figures.fromHash("#content"), null);
  assert.equal(figures.fromHash("#areas=%E0%A4%A&measure=x").places[0], "%E0%A4%A");
});

test("each fault of a view is told at its control", () => {
  const at = (view) => figures.faults(INDEX, { ...VIEW, ...view }).map(([id]) => id);
  assert.deepEqual(at({}), []);
  assert.deepEqual(at({ places: [] }), ["place"]);
  assert.deepEqual(at({ places: ["A", "B", "C", "region-S"] }), []);
  assert.deepEqual(at({ places: ["A", "B", "C", "region-S", "nation-N"] }), ["place"]);
  assert.deepEqual(at({ places: ["__proto__"] }), ["place"]);
  assert.deepEqual(at({ measure: "" }), ["measure"]);
  assert.deepEqual(at({ measure: "constructor" }), ["measure"]);
  assert.deepEqual(at({ breakdown: "age" }), ["breakdown"]);
  assert.deepEqual(at({ from: "2026-27-Q1", to: "2025-26-Q1" }), ["to"]);
  assert.deepEqual(at({ from: "now" }), ["from"]);
});

test("a figure that is not given prints its status, never a blank or a number", () => {
  const cells = [rate(1, 80, 73, 86), withheld(2), withheld(3, { base: 150, form: 3 }),
    withheld(4, { base: 150, band: "90% and over", form: 2 }), rate(5, 70, 60, 80, { about: 1, form: 1, note: "r" })];
  const table = figures.tableOf(INDEX, VIEW, read(cells));
  assert.deepEqual(table.head, ["Period", "Rate", "95% interval", "Cases that count", "Cases met", "Notes"]);
  assert.equal(table.caption, "=Recorded, in time, Police force, Kent");
  assert.deepEqual(table.rows.map((texts) => texts.slice(1)), [
    ["80%", "73% to 86%", "200", "160", ""],
    ["[c]", "[c]", "[c]", "[c]", ""],
    ["[c]", "[c]", "150", "[c]", ""],
    ["90% and over", "[c]", "150", "[c]", ""],
    ["about 70%", "60% to 80%", "200", "140", "Revised"],
  ]);
  assert.deepEqual(table.statuses.map(([status]) => status), ["c"]);
});

test("counts have thousands, and zero is a number", () => {
  const view = { ...VIEW, measure: "police.r12_n" };
  const table = figures.tableOf(INDEX, view, read([row({ period: 1, basis: 0, reported: 1234565 }), row({ period: 2, basis: 0, reported: 0 })], view));
  assert.deepEqual(table.rows.map((texts) => texts[1]), ["1,234,565", "0"]);
});

test("the words say higher or lower only where the intervals do not overlap", () => {
  assert.match(said([rate(1, 50, 40, 60), rate(5, 70, 61, 80)]), /70% \(95% interval 61% to 80%\) in April to June 2026, and 50% .* in April to June 2025\. This is higher/);
  assert.match(said([rate(1, 70, 61, 80), rate(5, 50, 40, 60)]), /This is lower/);
  assert.match(said([rate(1, 50, 40, 60), rate(5, 70, 60, 80)]), /too close to tell apart/);
});

test("the words say what is missing and why", () => {
  const text = said([rate(1, 50, 40, 60), withheld(2), withheld(3, { base: 100, band: "up to 20%", form: 2 }),
    row({ period: 4, basis: 1, status: "w", note: "p" }), rate(5, 50, 40, 60)]);
  assert.match(text, /2 of 5 figures are withheld so that nobody can be identified \(1 has a band in the table instead\)\./);
  assert.match(text, /1 of 5 figures is not submitted/);
  assert.match(said([withheld(1)]), /no figure to draw\. The figure is withheld/);
  assert.match(said([]), /Kent: not in the published figures/);
});

test("other ways of collecting are another series, in the graph and in words", () => {
  const sampled = (period, percent) => rate(period, percent, percent - 9, percent + 9, { basis: 2 });
  const rows = read([rate(1, 80, 78, 82), sampled(1, 50), rate(2, 81, 79, 83), sampled(2, 40), row({ period: 3, basis: 1, status: "w" })]);
  const points = figures.pointsOf(INDEX, VIEW, rows);
  assert.deepEqual(points.map(({ number, piece, other }) => [number, piece, other]), [[80, 1, false], [81, 1, false], [50, 2, true], [40, 2, true]]);
  const text = figures.sentencesOf(INDEX, VIEW, rows)[0];
  assert.match(text, /Kent: 81%.*1 of 3 figures is not submitted/);
  assert.match(text, /Kent \(random sample, recent cases\): 40%/);
});

test("a line never runs over a gap, nor from one place to the next", () => {
  const view = { ...VIEW, places: ["A", "B"] };
  const rows = figures.rowsOf(INDEX, view, {
    A: { [view.measure]: [rate(1, 80, 78, 82), rate(2, 81, 79, 83), withheld(3), rate(4, 82, 80, 84), rate(5, 83, 81, 85)] },
    B: { [view.measure]: [rate(5, 60, 58, 62)] },
  });
  const points = figures.pointsOf(INDEX, view, rows);
  assert.deepEqual(points.map((point) => point.piece), [1, 1, 2, 2, 3]);
  assert.deepEqual(points.map((point) => point.alone), [false, false, false, false, true]);
});

test("from and to leave out what lies outside", () => {
  const view = { ...VIEW, from: "2025-26-Q2", to: "2025-26-Q3" };
  assert.deepEqual(read([1, 2, 3, 4].map((period) => rate(period, 50, 40, 60)), view).map((each) => each.periodCode), ["2025-26-Q2", "2025-26-Q3"]);
});

test("with a breakdown, areas stand as their region, once", () => {
  const view = { ...VIEW, places: ["A", "B", "nation-N"], breakdown: "sex" };
  assert.deepEqual(figures.shownPlaces(INDEX, view).map((place) => place.id), ["region-S", "nation-N"]);
  assert.deepEqual(figures.filesOf(INDEX, view), ["region-S.breakdowns", "nation-N.breakdowns"]);
  const rows = figures.rowsOf(INDEX, { ...view, from: "2025-26-FY", to: "2025-26-FY" }, {
    "region-S.breakdowns": { "police.r02_s01|sex": [rate(0, 40, 30, 50, { value: "F" }), rate(0, 60, 50, 70, { value: "M" })] },
  });
  assert.deepEqual(rows.map((each) => each.valueLabel), ["Male", "Female"]);
  const table = figures.tableOf(INDEX, view, rows);
  assert.deepEqual(table.head.slice(0, 3), ["Area", "Sex", "Rate"]);
  assert.match(table.caption, /by sex, April 2025 to March 2026$/);
  const input = graph.inputOf(INDEX, view, rows, 290, false);
  assert.deepEqual(input.without, ["England and Wales (all areas)"]);
  assert.match(input.subtitle.join(" "), /Without a figure to draw: England and Wales/);
  assert.ok(input.points[0].y > input.names[0].y && input.points[0].y < input.names[1].y && input.points[1].y < input.height);
  assert.match(figures.sentencesOf(INDEX, view, rows)[0], /South \(region\), April 2025 to March 2026: from 40% .* for “Female” to 60% .* for “Male”\. These two are too close/);
});

test("feedback and breakdowns are by year, the rest by quarter", () => {
  const codes = (measure, breakdown) => figures.periodsOf(INDEX, measure, breakdown).map(([code]) => code);
  assert.deepEqual(codes("police.r02_f01", ""), ["2025-26-FY"]);
  assert.deepEqual(codes("police.r02_s01", "sex"), ["2025-26-FY"]);
  assert.equal(codes("police.r02_s01", "").length, 5);
  assert.deepEqual(codes("nothing", ""), []);
});

test("no cell of the CSV runs as a formula, and quotes are doubled", () => {
  const text = figures.csvOf(INDEX, VIEW, read([rate(1, 80, 73, 86), withheld(2)]));
  const lines = text.split("\r\n");
  assert.equal(lines.length, 4);
  assert.equal(lines[3], "");
  assert.equal(lines[0].split(",").length, figures.COLUMNS.length);
  assert.match(lines[1], /,"'=Recorded, in time",/);
  assert.match(lines[1], /,200,160,,80,false,73,86,,value,,p,/);
  assert.match(lines[2], /,,,,,,,,,suppressed,c,p,/);
  for (const start of ["=", "+", "-", "@", "\t", "\uff1d", " ="]) {
    const place = { ...INDEX.places[0], name: start + 'A"1' };
    const line = figures.csvOf(INDEX, VIEW, read([rate(1, 80, 73, 86)]).map((each) => ({ ...each, place }))).split("\r\n")[1];
    assert.ok(line.includes(`"'${start}A""1"`), line);
  }
});

test("text wraps at words, and a long word stays whole", () => {
  assert.deepEqual(figures.wrapped("one two three", 7), ["one two", "three"]);
  assert.deepEqual(figures.wrapped("extraordinary it is", 5), ["extraordinary", "it is"]);
  assert.deepEqual(figures.wrapped("", 5), [""]);
});

test("the scale holds every interval, starts lower than any, and says so", () => {
  const [percent, count] = INDEX.measures;
  assert.deepEqual(graph.ends(percent, null, [{ lower: 73, upper: 86 }]), [60, 100]);
  assert.deepEqual(graph.ends(percent, null, [{ lower: 5, upper: 12 }]), [0, 20]);
  assert.deepEqual(graph.ends(percent, {}, [{ lower: 73, upper: 86 }]), [0, 100]);
  assert.deepEqual(graph.ends(percent, null, []), [0, 100]);
  assert.deepEqual(graph.ends(count, null, [{ number: 40 }]), [0, 40]);
  for (let lower = 0; lower <= 100; lower += 1)
    for (let upper = lower; upper <= 100; upper += 1) {
      const [least, most] = graph.ends(percent, null, [{ lower, upper }]);
      assert.ok(least <= lower && upper <= most && least < most && least >= 0 && most <= 100);
    }
  const input = graph.inputOf(INDEX, VIEW, read([rate(1, 80, 73, 86)]), 290, false);
  assert.match(input.subtitle.join(" "), /The scale starts at 60%/);
  assert.ok(input.subtitle.every((line) => line.length <= 40));
});

test("quarters are short under the axis, with the year where it changes", () => {
  assert.deepEqual(graph.periodLabels(INDEX.periods.slice(4)), [["2025-26-Q4", ["Q4", "2025/26"]], ["2026-27-Q1", ["Q1", "2026/27"]]]);
  assert.deepEqual(graph.periodLabels([["2025-26-FY", ""]]), [["2025-26-FY", ["2025/26"]]]);
});
