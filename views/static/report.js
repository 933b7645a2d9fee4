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

  // A canvas takes colours as they are computed, because a user's forced colours have names only.
  const theme = (plot) => {
    const probe = plot.appendChild(document.createElement("span"));
    const style = getComputedStyle(probe);
    const colour = (name) => {
      probe.style.color = `var(${name})`;
      return style.color;
    };
    const root = getComputedStyle(document.documentElement);
    const look = {
      ink: colour("--ink"), soft: colour("--ink-soft"), rule: colour("--rule"), sheet: colour("--sheet"),
      registered: colour("--accent"), rejected: colour("--bad"), font: root.getPropertyValue("--sans").trim(), rem: parseFloat(root.fontSize),
    };
    probe.remove();
    return look;
  };

  const measured = (font) => {
    const ctx = document.createElement("canvas").getContext("2d");
    ctx.font = font;
    return (text) => ctx.measureText(text).width;
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

  const common = { legend: { show: false } };
  const cursor = { y: false, points: { show: false }, drag: { x: false, y: false, setScale: false } };

  const daysChart = ({ titles, rows }, reading) => (look, width) => {
    const created = rows.map(({ values }) => values[0]);
    const all = rows.map(({ values }) => values[0] + values[1]);
    const axis = { stroke: look.soft, font: `${0.8125 * look.rem}px ${look.font}`, ticks: { show: false } };
    const widthOf = measured(axis.font);
    const days = rows.map((row) => shortDay.format(new Date(row.key)));
    const widest = Math.max(...days.map(widthOf));
    const room = (1.5 * widest * rows.length) / (width - 4 * look.rem);
    const everyDays = [1, 5, 10, 15].find((every) => every >= room) ?? rows.length;
    return {
      ...common,
      padding: [8, Math.max(24, widest / 2), 0, 0],
      cursor,
      width,
      height: (width < 30 * look.rem ? 13.75 : 18.75) * look.rem,
      scales: {
        x: { time: false, range: [-0.6, rows.length - 0.4] },
        y: { range: (u, min, max) => [0, Math.max(1, max * 1.08)] },
      },
      axes: [
        {
          ...axis,
          size: 1.75 * look.rem,
          label: titles[0],
          labelSize: 1.25 * look.rem,
          labelFont: axis.font,
          grid: { show: false },
          splits: rows.map((row, i) => i).filter((i) => (rows.length - 1 - i) % everyDays === 0),
          values: (u, splits) => splits.map((i) => days[i]),
        },
        {
          ...axis,
          size: (u, values) => 12 + Math.ceil(Math.max(0, ...(values ?? []).map(widthOf))),
          gap: 6,
          space: 2.75 * look.rem,
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

  // Breaks a text into lines of a width.
  const broken = (text, width, widthOf) => text.split(" ").reduce((lines, word) => {
    const longer = lines.length ? `${lines.at(-1)} ${word}` : word;
    return lines.length && widthOf(longer) <= width ? [...lines.slice(0, -1), longer] : [...lines, word];
  }, []);

  const reasonsChart = ({ rows }) => (look, width) => {
    const size = 0.875 * look.rem;
    const widthOf = measured(`${size}px ${look.font}`);
    const names = rows.map(({ name, texts }) => broken(name, width - widthOf(texts[0]) - size, widthOf));
    const lineHeight = 1.25 * size;
    const rowHeight = lineHeight * Math.max(...names.map((lines) => lines.length)) + 1.5 * look.rem;
    const most = Math.max(...rows.map(({ values }) => values[0]));
    const write = (u) => {
      const { ctx, bbox } = u;
      ctx.save();
      ctx.font = `${size * devicePixelRatio}px ${look.font}`;
      ctx.textBaseline = "alphabetic";
      ctx.fillStyle = look.ink;
      rows.forEach(({ texts }, i) => {
        const y = u.valToPos(i, "x", true) - (6 + 0.45 * size) * devicePixelRatio;
        const last = names[i].length - 1;
        ctx.textAlign = "right";
        ctx.fillText(texts[0], bbox.left + bbox.width, y - last * lineHeight * devicePixelRatio);
        ctx.textAlign = "left";
        names[i].forEach((line, n) => ctx.fillText(line, bbox.left, y - (last - n) * lineHeight * devicePixelRatio, bbox.width));
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
        x: { time: false, ori: 1, dir: -1, range: [12 / rowHeight - 1, rows.length + 12 / rowHeight - 1] }, // the bar ends each row
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
    const reading = figure.querySelector(".reading");
    const options = kinds[figure.dataset.chart](read(figure.querySelector("table")), reading);
    let chart, look;

    const draw = () => {
      chart?.destroy();
      look = theme(plot);
      const { data, ...rest } = options(look, plot.clientWidth);
      chart = new uPlot(rest, data, plot);
    };
    plot.replaceChildren();
    draw();
    for (const media of ["(prefers-color-scheme: dark)", "(forced-colors: active)"]) matchMedia(media).addEventListener("change", draw);
    new ResizeObserver(() => {
      if (plot.clientWidth !== chart.width || theme(plot).rem !== look.rem) draw();
    }).observe(figure);
    figure.classList.add("drawn");
  }

  // Keeps running imports up to date. When one begins or ends, the whole list and the figures are new.
  const interval = 2000;
  const follow = async () => {
    const all = (page, selector) => [...page.querySelectorAll(selector)];
    const row = ".imports .running";
    if (!all(document, row).length) return;
    if (!document.hidden) {
      try {
        const answer = await fetch(location, { headers: { Accept: "text/html", "X-Requested-With": "fetch" } });
        if (answer.status === 401) return;
        const page = answers.parse(await answer.text());
        const changed = all(page, row).length === all(document, row).length ? row : ".imports, .figures";
        const newer = all(page, changed);
        all(document, changed).forEach((part, i) => {
          if (!newer[i]) return;
          part.replaceWith(newer[i]);
          showTimes(newer[i]);
        });
      } catch { /* the next attempt may succeed */ }
    }
    setTimeout(follow, interval);
  };
  setTimeout(follow, interval);
})();
