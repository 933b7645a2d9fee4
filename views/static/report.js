"use strict";

// Draws what the table of days says.
(() => {
  const place = document.getElementById("days-chart");
  const rows = [...document.querySelectorAll("#days tbody tr")];
  const names = [...document.querySelectorAll("#days [data-series]")].map((heading) => heading.textContent);
  const days = rows.map((row) => Date.parse(`${row.dataset.day}T00:00:00Z`) / 1000);
  const created = rows.map((row) => Number(row.dataset.created));
  const refused = rows.map((row) => Number(row.dataset.refused));
  const stacked = created.map((count, i) => count + refused[i]);
  const locale = place.dataset.locale;
  const date = new Intl.DateTimeFormat(locale, { day: "numeric", month: "short", timeZone: "UTC" });
  const number = new Intl.NumberFormat(locale);
  const short = new Intl.NumberFormat(locale, { notation: "compact" });
  let chart;

  const draw = () => {
    const style = getComputedStyle(document.documentElement);
    const color = (name) => style.getPropertyValue(name).trim();
    const bars = uPlot.paths.bars({ size: [0.7, 28] });
    const axis = { stroke: color("--ink-soft"), grid: { stroke: color("--rule"), width: 1 }, ticks: { show: false }, font: "13px system-ui, sans-serif" };
    chart?.destroy();
    place.hidden = false;
    // Refused objects stand on the accounts: what is drawn is both, and then the accounts over it.
    chart = new uPlot({
      width: place.clientWidth,
      height: 220,
      tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), "UTC"),
      cursor: { drag: { x: false, y: false }, points: { show: false } },
      scales: { y: { range: (u, min, max) => [0, Math.max(1, max * 1.05)] } },
      axes: [
        { ...axis, grid: { show: false }, space: 64, values: (u, ticks) => ticks.map((seconds) => date.format(seconds * 1000)) },
        { ...axis, size: 56, incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1e3, 2e3, 5e3, 1e4, 2e4, 5e4, 1e5, 2e5, 5e5, 1e6, 2e6, 5e6, 1e7], values: (u, ticks) => ticks.map((count) => short.format(count)) },
      ],
      series: [
        { value: (u, seconds) => (seconds == null ? "–" : date.format(seconds * 1000)), label: document.querySelector("#days thead th").textContent },
        { label: names[1], fill: color("--bad"), width: 0, paths: bars, points: { show: false }, value: (u, v, series, i) => (i == null ? "–" : number.format(refused[i])) },
        { label: names[0], fill: color("--accent"), width: 0, paths: bars, points: { show: false }, value: (u, v) => (v == null ? "–" : number.format(v)) },
      ],
    }, [days, stacked, created], place);
  };

  draw();
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
  new ResizeObserver(() => {
    if (chart.width !== place.clientWidth) chart.setSize({ width: place.clientWidth, height: 220 });
  }).observe(place);
})();
