"use strict";

{
  const { parse, isOwn } = answers;
  const perPage = 50;
  const mostFollowed = 20; // pages that are read for one

  // Shows how many people were found. If that fails, the link to the number stays.
  const count = async (link) => {
    const answer = await fetch(link.dataset.count, { headers: { Accept: "application/json" } });
    if (!answer.ok) return;
    const { count: found, more } = await answer.json();
    const text = more ? link.dataset.more : link.dataset.found;
    link.replaceWith(text.replace("{}", new Intl.NumberFormat(document.documentElement.lang).format(found)));
  };
  const link = document.querySelector("[data-count]");
  if (link) count(link).catch(() => {});

  // Continues a search that has read a part of the directory, until the page is full.
  const table = document.querySelector(".people");
  const rows = () => table.tBodies[0].rows.length;
  const follow = async () => {
    for (let followed = 0; followed < mostFollowed && rows() < perPage; followed++) {
      const next = document.querySelector(".paging [data-part]");
      if (!next) return;
      const answer = await fetch(next.href, { headers: { Accept: "text/html" } });
      const page = parse(await answer.text());
      if (!answer.ok || answer.redirected || !isOwn(page)) return;
      table.tBodies[0].append(...page.querySelectorAll(".people tbody > tr"));
      table.hidden = rows() === 0;
      next.replaceWith(page.querySelector(".paging [rel=next]") ?? "");
      if (page.querySelector(".part")) continue;
      document.querySelector(".part").remove();
      if (table.hidden) table.after(page.querySelector(".nothing"));
    }
    const next = document.querySelector(".paging [data-part]");
    if (!next || rows() < perPage) return;
    document.querySelector(".part").remove();
    next.textContent = next.dataset.part;
  };
  if (table) follow().catch(() => {});

  // Ticks all people on the page, or none.
  const all = document.querySelector("#tick-all");
  const ticks = () => [...table.querySelectorAll("input[name=id]")];
  if (all) {
    all.parentElement.hidden = false;
    all.addEventListener("change", () => { for (const tick of ticks()) tick.checked = all.checked; });
    table.addEventListener("change", () => { all.checked = ticks().every(({ checked }) => checked); });
  }
}
