"use strict";

// Draws charts from the tables of figures. The tables stay for readers without charts or scripts.
(() => {
  const locale = document.documentElement.lang;
  const compact = new Intl.NumberFormat(locale, { notation: "compact" });
  const shortDay = new Intl.DateTimeFormat(locale, { day: "numeric", month: "short", timeZone: "UTC" });

  const read = (table) => ({
    titles: [...table.tHead.rows[0].cells].map((cell) => cell.textContent),
    rows: [...table.tBodies[0].rows].map((row) => {
      const [head, ...cells] = row.cells;
      return {
        name: head.textContent.trim(), key: head.dataset.value, link: head.querySelector("a"),
        texts: cells.map((cell) => cell.textContent), values: cells.map((cell) => Number(cell.dataset.value)),
      };
    }),
  });

  const theme = () => {
    const style = getComputedStyle(document.documentElement);
    const colour = (name) => style.getPropertyValue(name).trim();
    return {
      ink: colour("--ink"), soft: colour("--ink-soft"), rule: colour("--rule"), sheet: colour("--sheet"),
      registered: colour("--accent"), rejected: colour("--bad"), font: colour("--sans"),
    };
  };

  // Stripes distinguish rejected from registered without colour.
  const stripes = (look) => (u) => {
    const size = 6 * devicePixelRatio;
    const tile = new OffscreenCanvas(size, size);
    const ctx = tile.getContext("2d");
    ctx.fillStyle = look.rejected;
    ctx.fillRect(0, 0, size, size);
    ctx.strokeStyle = look.sheet;
    ctx.lineWidth = 1.25 * devicePixelRatio;
    for (const from of [-size, 0, size]) {
      ctx.moveTo(from, size);
      ctx.lineTo(from + size, 0);
    }
    ctx.stroke();
    return u.ctx.createPattern(tile, "repeat");
  };

  const common = { legend: { show: false }, padding: [8, 24, 0, 0] };
  const cursor = { y: false, points: { show: false }, drag: { x: false, y: false, setScale: false } };

  const daysChart = ({ titles, rows }, reading) => (look, width) => {
    const created = rows.map(({ values }) => values[0]);
    const all = rows.map(({ values }) => values[0] + values[1]);
    const axis = { stroke: look.soft, font: `13px ${look.font}`, ticks: { show: false } };
    const everyDays = width < 480 ? 10 : 5;
    const measure = document.createElement("canvas").getContext("2d");
    measure.font = axis.font;
    return {
      ...common,
      cursor,
      width,
      height: width < 480 ? 220 : 300,
      scales: {
        x: { time: false, range: [-0.6, rows.length - 0.4] },
        y: { range: (u, min, max) => [0, Math.max(1, max * 1.08)] },
      },
      axes: [
        {
          ...axis,
          size: 28,
          label: titles[0],
          labelSize: 20,
          labelFont: axis.font,
          grid: { show: false },
          splits: rows.map((row, i) => i).filter((i) => (rows.length - 1 - i) % everyDays === 0),
          values: (u, splits) => splits.map((i) => shortDay.format(new Date(rows[i].key))),
        },
        {
          ...axis,
          size: (u, values) => 12 + Math.ceil(Math.max(0, ...(values ?? []).map((text) => measure.measureText(text).width))),
          gap: 6,
          space: 44,
          incrs: [1, 2, 5].flatMap((n) => Array.from({ length: 10 }, (_, i) => n * 10 ** i)).sort((a, b) => a - b),
          grid: { stroke: look.rule, width: 1 },
          values: (u, splits) => splits.map((n) => compact.format(n)),
        },
      ],
      // Rejections are stacked on registrations: the bar of both is drawn first, and the bar of registrations over it.
      series: [
        {},
        { fill: stripes(look), width: 0, points: { show: false }, paths: uPlot.paths.bars({ size: [0.72, 40] }) },
        { fill: look.registered, width: 0, points: { show: false }, paths: uPlot.paths.bars({ size: [0.72, 40] }) },
      ],
      hooks: {
        setCursor: [({ cursor: { idx } }) => {
          const row = rows[idx];
          reading.textContent = row ? `${row.name} · ${row.texts.map((text, i) => `${titles[i + 1].toLowerCase()} ${text}`).join(" · ")}` : "";
        }],
      },
      data: [rows.map((row, i) => i), all, created],
    };
  };

  const reasonsChart = ({ rows }) => (look, width) => {
    const rowHeight = 42;
    const most = Math.max(...rows.map(({ values }) => values[0]));
    const write = (u) => {
      const { ctx, bbox } = u;
      ctx.save();
      ctx.font = `${14 * devicePixelRatio}px ${look.font}`;
      ctx.textBaseline = "alphabetic";
      rows.forEach(({ name, texts }, i) => {
        const y = u.valToPos(i, "x", true) - 12 * devicePixelRatio;
        ctx.fillStyle = look.ink;
        ctx.textAlign = "right";
        ctx.fillText(texts[0], bbox.left + bbox.width, y);
        ctx.textAlign = "left";
        ctx.fillText(name, bbox.left, y, bbox.width - ctx.measureText(texts[0]).width - 12 * devicePixelRatio);
      });
      ctx.restore();
    };
    return {
      ...common,
      padding: [0, 0, 0, 0],
      cursor: { ...cursor, x: false },
      width,
      height: rows.length * rowHeight,
      scales: {
        x: { time: false, ori: 1, dir: -1, range: [-0.7, rows.length - 0.7] },
        y: { ori: 0, range: [0, most] },
      },
      axes: [{ show: false }, { show: false }],
      series: [{}, { fill: stripes(look), width: 0, points: { show: false }, paths: uPlot.paths.bars({ size: [0.5, 12], align: 0 }) }],
      hooks: {
        draw: [write],
        ready: [(u) => u.over.addEventListener("click", () => rows[u.cursor.idx]?.link?.click())],
      },
      data: [rows.map((row, i) => i), rows.map(({ values }) => values[0])],
    };
  };

  const kinds = { days: daysChart, reasons: reasonsChart };

  for (const figure of document.querySelectorAll("[data-chart]")) {
    const plot = figure.querySelector(".plot");
    const reading = document.createElement("p");
    reading.className = "reading";
    plot.after(reading);
    const options = kinds[figure.dataset.chart](read(figure.querySelector("table")), reading);
    let chart;

    const draw = () => {
      chart?.destroy();
      const { data, ...rest } = options(theme(), plot.clientWidth);
      chart = new uPlot(rest, data, plot);
    };
    draw();
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
    new ResizeObserver(() => {
      if (plot.clientWidth !== chart.width) draw();
    }).observe(plot);
    figure.classList.add("drawn");
  }
})();
