/* The graph: two Vega specifications, and the pictures made of them. Vega's interpreter needs no eval. */
"use strict";

const vccGraph = (() => {
  const FONT = "Arial, Liberation Sans, sans-serif";
  const INK = "#0b0c0c";
  const GREY = "#484949";
  const DASHES = [[1, 0], [8, 3], [2, 3], [10, 3, 2, 3]];
  const SHAPES = ["circle", "square", "triangle-up", "diamond"];
  const NAMED = { font: { value: FONT }, fill: { value: INK } };

  const drawn = (channel, field) => ({ scale: channel, field });

  function common(input) {
    return {
      $schema: "https://vega.github.io/schema/vega/v6.json",
      background: "#ffffff",
      padding: 4,
      width: input.width,
      height: input.height,
      autosize: { type: "fit-x", contains: "padding", resize: true },
      title: {
        text: input.title.length ? input.title : "",
        subtitle: input.subtitle,
        anchor: "start",
        frame: "bounds",
        font: FONT,
        fontSize: 16,
        lineHeight: 20,
        color: INK,
        subtitleFont: FONT,
        subtitleFontSize: 14,
        subtitleLineHeight: 18,
        subtitleColor: GREY,
        subtitlePadding: 6,
        offset: 12,
      },
      data: [{ name: "points", values: input.points }],
      scales: [
        { name: "colour", type: "ordinal", domain: input.series, range: input.colours },
        { name: "shape", type: "ordinal", domain: input.series, range: SHAPES },
        { name: "dash", type: "ordinal", domain: input.series, range: DASHES },
      ],
      legends:
        input.series.length < 2
          ? []
          : [
              {
                values: input.series.filter((name) => !input.without.includes(name)),
                stroke: "colour",
                fill: "colour",
                shape: "shape",
                orient: "top",
                direction: "vertical",
                columns: input.columns,
                labelFont: FONT,
                labelFontSize: 14,
                labelColor: INK,
                labelLimit: input.width - 40,
                symbolSize: 90,
                symbolStrokeWidth: 1,
                rowPadding: 4,
                offset: 12,
              },
            ],
    };
  }

  const axisText = { labelFont: FONT, labelFontSize: 13, labelColor: INK, domainColor: INK, tickColor: INK };
  const foot = (input) => ({
    title: input.source,
    titleAnchor: "start",
    titleAlign: "left",
    titleFont: FONT,
    titleFontSize: 12,
    titleFontWeight: "normal",
    titleLineHeight: 16,
    titleColor: GREY,
    titlePadding: 12,
  });

  const points = (x, y) => ({
    type: "symbol",
    from: { data: "points" },
    encode: {
      enter: {
        x, y,
        size: { value: 80 },
        shape: drawn("shape", "series"),
        fill: [{ test: "datum.other", value: "#ffffff" }, drawn("colour", "series")],
        stroke: [{ test: "datum.other", ...drawn("colour", "series") }, { value: "#ffffff" }],
        strokeWidth: [{ test: "datum.other", value: 2 }, { value: 1 }],
      },
    },
  });

  /* Over time: a line with its band for each place; a figure by itself has a bar for its interval. */
  function overTime(input) {
    const x = { scale: "x", field: "period", offset: { field: "shift" } };
    const spec = common(input);
    spec.data.push({
      name: "single",
      source: "points",
      transform: [{ type: "filter", expr: "datum.alone && datum.upper > datum.lower" }],
    });
    spec.scales.push(
      { name: "x", type: "point", domain: input.periods.map(([code]) => code), range: "width", padding: 0.5 },
      { name: "y", type: "linear", domain: [input.least, input.most], range: "height", nice: !input.percent, zero: false },
    );
    spec.axes = [
      {
        scale: "y", orient: "left", grid: true, gridColor: "#e0e0e0", domain: false, ticks: false, tickCount: 5,
        labelPadding: 6, ...axisText,
        encode: { labels: { update: { text: { signal: "format(datum.value, ',') + '" + (input.percent ? "%" : "") + "'" } } } },
      },
      {
        scale: "x", orient: "bottom", labelOverlap: false, labelLineHeight: 16, ...axisText, ...foot(input),
        encode: { labels: { update: { text: { signal: "labels[datum.value]" } } } },
      },
    ];
    spec.signals = [{ name: "labels", value: Object.fromEntries(input.periods) }];
    const pieces = { facet: { name: "piece", data: "points", groupby: "piece" } };
    spec.marks = [
      {
        type: "group", from: pieces,
        marks: [
          {
            type: "area", from: { data: "piece" },
            encode: {
              enter: {
                x, y: { scale: "y", field: "lower" }, y2: { scale: "y", field: "upper" },
                fill: drawn("colour", "series"), fillOpacity: { value: input.series.length > 2 ? 0.13 : 0.2 },
              },
            },
          },
        ],
      },
      {
        type: "rule", from: { data: "single" },
        encode: {
          enter: {
            x, y: { scale: "y", field: "lower" }, y2: { scale: "y", field: "upper" },
            stroke: drawn("colour", "series"), strokeWidth: { value: 2 },
          },
        },
      },
      {
        type: "group", from: pieces,
        marks: [
          {
            type: "line", from: { data: "piece" },
            encode: {
              enter: {
                x, y: { scale: "y", field: "number" }, stroke: drawn("colour", "series"),
                strokeDash: drawn("dash", "series"), strokeWidth: { value: 2.5 },
              },
            },
          },
        ],
      },
      points(x, { scale: "y", field: "number" }),
    ];
    return spec;
  }

  /* By a breakdown: each value is named above its points, so that long names fit a narrow window. */
  function byValue(input) {
    const spec = common(input);
    spec.data.push(
      { name: "names", values: input.names },
      {
        name: "intervals",
        source: "points",
        transform: [{ type: "filter", expr: "datum.upper > datum.lower" }],
      },
    );
    spec.scales.push({ name: "x", type: "linear", domain: [input.least, input.most], range: "width", nice: !input.percent, zero: true });
    spec.axes = [
      {
        scale: "x", orient: "bottom", grid: true, gridColor: "#e0e0e0", tickCount: input.width < 500 ? 3 : 6, ...axisText, ...foot(input),
        encode: { labels: { update: { text: { signal: "format(datum.value, ',') + '" + (input.percent ? "%" : "") + "'" } } } },
      },
    ];
    const y = { field: "y" };
    spec.marks = [
      {
        type: "text", from: { data: "names" },
        encode: {
          enter: {
            x: { value: 0 }, y, text: { field: "lines" }, lineHeight: { value: 17 }, baseline: { value: "top" },
            fontSize: { value: 14 }, ...NAMED,
          },
        },
      },
      {
        type: "rule", from: { data: "intervals" },
        encode: {
          enter: {
            x: { scale: "x", field: "lower" }, x2: { scale: "x", field: "upper" }, y,
            stroke: drawn("colour", "series"), strokeWidth: { value: 3 }, strokeOpacity: { value: 0.55 },
          },
        },
      },
      points({ scale: "x", field: "number" }, y),
    ];
    return spec;
  }

  /* Two lines for a quarter, the year only where it changes; one for a year. */
  function periodLabels(periods) {
    return periods.map(([code], number) => {
      const year = code.slice(0, 4) + "/" + code.slice(5, 7);
      const part = code.split("-").at(-1);
      if (part === "FY") return [code, [year]];
      return [code, number === 0 || part === "Q1" ? [part, year] : [part, ""]];
    });
  }

  /* What the specification needs, from a view's rows and the width in CSS pixels. */
  function inputOf(index, view, rows, width, titled) {
    const measure = vccFigures.byId(index.measures, view.measure);
    const breakdown = view.breakdown ? vccFigures.byId(index.breakdowns, view.breakdown) : null;
    const letters = Math.floor((width - 16) / 8.6);
    const small = Math.floor((width - 16) / 6.6);
    const all = vccFigures.pointsOf(index, view, rows);
    const newest = all.reduce((last, point) => (point.period > last ? point.period : last), "");
    const found = breakdown ? all.filter((point) => point.period === newest) : all;
    const drawnOf = new Set(found.map((point) => point.series));
    const series = vccFigures.shownPlaces(index, view).map(vccFigures.placeName);
    const without = series.filter((name) => !drawnOf.has(name));
    const periods = vccFigures
      .periodsOf(index, view.measure, view.breakdown)
      .filter(([code]) => code >= view.from && code <= view.to);
    const usual = found.filter((point) => !point.other).length;
    const [least, most] = ends(measure, breakdown, found);
    const input = {
      width,
      height: 300,
      percent: measure.percent,
      least,
      most,
      title: titled ? vccFigures.wrapped(vccFigures.titleOf(index, view), letters) : [],
      subtitle: vccFigures.wrapped(
        (measure.percent
          ? measure.kind === "feedback" ? "Percent of answers that are good" : "Percent of cases that count"
          : "Number") +
          (measure.percent ? ", with the 95% interval" : "") +
          (breakdown && newest ? ". " + index.periods.find(([code]) => code === newest)[1] : "") +
          (least > 0 ? ". The scale starts at " + least + "%" : "") +
          (without.length ? ". Without a figure to draw: " + without.join(", ") : "") +
          (usual < found.length ? ". Hollow points: collected in another way, see the table" : ""),
        Math.floor((width - 16) / 7.4),
      ),
      source: vccFigures.wrapped(
        "Release " + index.release.id + ". Management information, definitions provisional. OGL-UK-3.0", small),
      series,
      without,
      colours: index.colours,
      columns: width < 500 ? 1 : 2,
      periods: periodLabels(periods),
      points: found.map((point) => ({
        ...point,
        shift: periods.length === 1 ? (point.turn - (series.length - 1) / 2) * 24 : 0,
      })),
    };
    if (breakdown) placeByValue(input, breakdown, rows.filter((row) => row.periodCode === newest), width);
    return input;
  }

  /* Both ends of the scale: a percentage over time has a closer look where its intervals allow it. */
  function ends(measure, breakdown, points) {
    if (!measure.percent) return [0, Math.max(10, ...points.map((point) => point.number))];
    if (breakdown || !points.length) return [0, 100];
    const low = Math.min(...points.map((point) => point.lower));
    const high = Math.max(...points.map((point) => point.upper));
    return [Math.max(0, Math.floor((low - 10) / 20) * 20), Math.min(100, Math.ceil((high + 5) / 20) * 20)];
  }

  function placeByValue(input, breakdown, rows, width) {
    const top = new Map();
    let y = 0;
    input.names = [];
    for (const [value, label] of breakdown.values) {
      if (!rows.some((row) => row.value === value)) continue;
      const turns = input.points.filter((point) => point.category === value).map((point) => point.turn);
      const lines = vccFigures.wrapped(label + (turns.length ? "" : " (no figure to draw)"), Math.floor((width - 20) / 7.6));
      input.names.push({ y, lines });
      turns.forEach((turn, place) => top.set(value + "|" + turn, y + lines.length * 17 + 8 + place * 15));
      y += lines.length * 17 + turns.length * 15 + 14;
    }
    input.points = input.points.map((point) => ({ ...point, y: top.get(point.category + "|" + point.turn) }));
    input.height = Math.max(y, 60);
  }

  /* A view of Vega that draws only when it is asked for a picture. */
  async function draw(index, view, rows, width, titled = false) {
    const input = inputOf(index, view, rows, width, titled);
    const spec = (view.breakdown ? byValue : overTime)(input);
    const picture = new vega.View(vega.parse(spec, null, { ast: true }), {
      expr: vega.expressionInterpreter,
      renderer: "none",
      logLevel: vega.Error,
    });
    await picture.runAsync();
    return picture;
  }

  return { draw, ends, inputOf, periodLabels };
})();

if (typeof module !== "undefined") module.exports = vccGraph;
