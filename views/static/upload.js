"use strict";

// Tells users of screen readers the latest progress, at most every ten seconds.
const announced = document.querySelector("[data-announced]");
let lastAnnounced = performance.now(), announcing, latestProgress;
const announce = (progress) => {
  latestProgress = progress;
  announcing ??= setTimeout(() => {
    announced.textContent = latestProgress;
    lastAnnounced = performance.now();
    announcing = null;
  }, lastAnnounced + 10_000 - performance.now());
};

// The list of uploads, with buttons to start and cancel them. Its page is never left for a decision: it may have files that are not sent yet.
const list = document.querySelector("[data-uploads]");
let sendNext = () => false; // sends the next file, and returns whether one waits for a decision

// Shows the current list. Entries are replaced only if one has changed, because a click ends on the element on which it began.
const showList = (current) => {
  const results = (of) => [...of.querySelectorAll("li")].map((entry) => [entry.id, entry.dataset.state, entry.querySelector("dl")?.textContent]).join();
  for (const name of ["files", "bytes", "working"]) {
    if (name in current.dataset) list.dataset[name] = current.dataset[name];
    else delete list.dataset[name];
  }
  if (results(list) === results(current)) {
    const told = [];
    for (const progress of current.querySelectorAll(".doing")) {
      const [bar, objects] = list.querySelector(`#${progress.closest("li").id} .doing`).children;
      bar.value = progress.querySelector("progress").value;
      objects.textContent = progress.querySelector("span").textContent;
      told.push(`${progress.closest("li").querySelector("a").textContent}: ${objects.textContent}`);
    }
    if (told.length) announce(told.join(". "));
    return;
  }
  clearTimeout(announcing); // a result is newer than any progress
  announcing = null;
  const news = [...current.querySelectorAll("li")].filter(({ id, dataset }) => dataset.state !== document.getElementById(id)?.dataset.state);
  document.getElementById("results").textContent = news.map((entry) => ["a", ".state"].map((part) => entry.querySelector(part).textContent).join(": ")).join(", ");
  const focused = document.activeElement.closest("li[id]")?.id;
  list.replaceChildren(...current.childNodes);
  showTimes(list);
  if (focused) document.getElementById(focused)?.querySelector("button, a").focus();
};

// Returns what an answer that is not the expected one says.
const reasonOf = (status, page) => answers.isOwn(page) ? answers.reasonOf(page) : answers.reasonOfOther(status);

// The server answers a script with the address to go to, and with 401 instead of the page to sign in.
const headers = { Accept: "text/html", "X-Requested-With": "fetch" };

// Asks for the list, or sends a decision. Returns why that failed, empty if it did not.
const askForList = async (options) => {
  try {
    const answer = await fetch("/useradd/uploads", { ...options, headers });
    const page = answers.parse(await answer.text());
    if (answer.status === 204) return askForList();
    const current = page.querySelector("[data-uploads]");
    if (current) showList(current);
    if (current && answer.ok) return "";
    return answer.status === 401 ? list.dataset.signedOut : reasonOf(answer.status, page);
  } catch {
    return answers.texts().connection;
  }
};

const tell = (reason) => {
  const failed = list.querySelector(".failed");
  if (!failed) return;
  failed.textContent = reason;
  failed.hidden = !reason;
};

// Keeps the list up to date while files are being processed, or wait for a decision, which may come from another page.
let polling;
const poll = () => {
  clearTimeout(polling);
  polling = setTimeout(async () => {
    const reason = await askForList();
    const { signedOut } = list.dataset;
    if (reason === signedOut) tell(reason);
    else if (list.querySelector(".failed")?.textContent === signedOut) tell("");
    if (sendNext() || "working" in list.dataset) poll();
  }, 1000);
};

if (list) {
  list.addEventListener("submit", async (event) => {
    event.preventDefault();
    const body = new URLSearchParams(new FormData(event.target));
    if (event.submitter.name) body.append(event.submitter.name, event.submitter.value);
    event.submitter.disabled = true;
    tell(await askForList({ method: "POST", body }));
    event.submitter.disabled = false;
    sendNext();
    poll();
  });
  if ("working" in list.dataset) poll();
}

// The form: users choose files, or drop them anywhere on the page. The files are sent one after another, and each is checked by itself. With
// several files, the page stays and the list shows their results. A file that cannot be sent stays on the page, with the reason.
const form = document.querySelector("[data-upload]");
if (form) {
  const texts = form.dataset; // by name
  const input = form.querySelector("input[type=file]");
  const drop = form.querySelector(".drop");
  const queue = form.querySelector(".queue");
  const button = form.querySelector("[type=submit]");
  let submit = button.textContent, title = document.title;
  let rows = []; // of the queue: { file, element, state, text }, without a file for a folder; the text may be the name of one
  const sent = new Set();
  let isSeveral = false, isLeaving = false;

  const has = (...states) => rows.some(({ state }) => states.includes(state));
  const isNew = (file) => !sent.has(file) && !rows.some((row) => row.file === file);
  const hasSome = () => rows.some(({ file }) => file);
  const update = () => {
    const hasNew = [...input.files].some(isNew);
    const resends = rows.some(({ file, state }) => file && state === "rejected");
    button.disabled = has("waiting", "sending") && !hasNew && !resends;
    button.textContent = resends && !hasNew ? answers.texts().resend : submit;
    input.required = !hasSome();
    document.title = has("rejected") ? `${answers.texts().error} ${title}` : title;
  };
  const show = (row, state, text, { isFinal = false, mustSignIn = false } = {}) => {
    const { element } = row;
    Object.assign(row, { state, text, isFinal, mustSignIn });
    element.dataset.state = state;
    element.querySelector(".state").textContent = state === "rejected" ? "" : texts[text];
    const reason = element.querySelector(".reason");
    reason.hidden = state !== "rejected";
    reason.textContent = reason.hidden ? "" : texts[text] ?? text;
    element.querySelector("progress").hidden = state !== "sending";
    element.querySelector("button").hidden = state === "sending";
    element.querySelector("a").hidden = !mustSignIn;
    update();
  };
  const reject = (row, text, options) => {
    show(row, "rejected", text, options);
    if (!isSeveral) row.element.focus();
    poll(); // the server may have taken the file all the same
  };
  const remove = (row) => {
    rows = rows.filter((other) => other !== row);
    row.element.remove();
    update();
  };
  const add = (name, file) => {
    const element = form.querySelector("template").content.firstElementChild.cloneNode(true);
    const row = { file, element };
    element.querySelector("b").textContent = name;
    element.querySelector("button").addEventListener("click", () => {
      if ([...input.files].includes(file)) input.value = "";
      remove(row);
      input.focus();
    });
    queue.append(element);
    rows.push(row);
    isSeveral = rows.length > 1 || isSeveral;
    return row;
  };

  // Adds files to the queue. They replace those of the same name, and those that cannot be sent again.
  const take = (files, folders) => {
    form.parentElement.querySelector(":scope > .message")?.remove();
    for (const row of rows.filter(({ state }) => state === "rejected")) {
      if (files.includes(row.file)) continue;
      if (row.isFinal && files.some(isNew) || files.some(({ name }) => name === row.file?.name)) remove(row);
    }
    for (const name of folders) reject(add(name), "folder", { isFinal: true });
    for (const file of files) if (isNew(file)) show(add(file.name, file), "waiting", "queued");
    for (const row of rows) if (row.file && row.state === "rejected") show(row, "waiting", "queued");
    sendNext();
  };

  // Says why a file cannot be sent as it was when it was chosen. Chromium does not read a file that has changed. Firefox does, with another
  // number of bytes; all are read only if the server has not understood what it got.
  const unreadable = async (file, readsAll) => {
    try {
      let read = 0, expected = 1;
      if (readsAll) {
        const reader = file.stream().getReader();
        for (let part; !(part = await reader.read()).done;) read += part.value.length;
        expected = file.size;
      } else {
        read = (await file.slice(-1).arrayBuffer()).byteLength;
      }
      return read === expected ? "" : "changed";
    } catch ({ name }) {
      return name === "NotReadableError" ? "changed" : "missing";
    }
  };

  const send = async (row) => {
    const { file } = row;
    show(row, "sending", "sending");
    const reason = await unreadable(file, file.size === 0) || (file.size === 0 ? "empty" : file.size > texts.max ? "large" : "");
    if (reason) {
      reject(row, reason, { isFinal: true });
      sendNext();
      return;
    }
    const request = new XMLHttpRequest();
    const bar = row.element.querySelector("progress");
    const percent = new Intl.NumberFormat(document.documentElement.lang, { style: "percent" });
    const body = new FormData();
    body.append(input.name, file);
    bar.value = 0;
    request.upload.addEventListener("progress", ({ loaded, total }) => {
      if (!total) return;
      bar.value = loaded / total;
      announce(`${texts.sending} ${file.name}: ${percent.format(bar.value)}`);
    });
    request.addEventListener("load", async () => {
      const { status } = request;
      const address = request.getResponseHeader("Location") ?? "";
      if (status === 401 || (status === 204 && !address.startsWith("/useradd/uploads/"))) {
        reject(row, "signedOut", { mustSignIn: true });
      } else if (status !== 204) {
        const told = status === 413 ? "large" : reasonOf(status, answers.parse(request.responseText));
        reject(row, status === 400 && await unreadable(file, true) || told, { isFinal: [400, 413, 415, 422].includes(status) });
      } else if (!isSeveral) {
        isLeaving = true;
        location.assign(address);
        return;
      } else {
        sent.add(file);
        remove(row);
        if ([...input.files].every((other) => sent.has(other))) input.value = "";
        await askForList();
        poll();
      }
      sendNext();
    });
    request.addEventListener("error", async () => {
      const changed = await unreadable(file);
      reject(row, changed || "lost", { isFinal: Boolean(changed) });
      sendNext();
    });
    request.open("POST", form.action);
    for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
    request.send(body);
  };

  sendNext = () => {
    const row = rows.find(({ state }) => state === "waiting");
    if (!row || has("sending") || isLeaving) return false;
    // The newest upload always fits, and the oldest gives way. Among the files of this page, none gives way to another.
    if (isSeveral && (list.dataset.files === "0" || row.file.size > list.dataset.bytes)) {
      show(row, "waiting", "waiting");
      poll();
      return true;
    }
    send(row);
    return false;
  };

  form.querySelector(".dropping").hidden = false;
  input.addEventListener("change", update);
  form.addEventListener("submit", (event) => {
    if (!input.files.length && !hasSome()) return; // the server says it
    event.preventDefault();
    take([...input.files], []);
  });
  addEventListener("beforeunload", (event) => { if (has("waiting", "sending") && !isLeaving) event.preventDefault(); });
  // Browsers keep pages for the back button.
  addEventListener("pageshow", ({ persisted }) => { if (persisted) location.reload(); });

  // Another page would not have the files.
  list.addEventListener("click", ({ target }) => { if (target.closest("a")) target.closest("a").target = has("waiting", "sending") ? "_blank" : ""; });
  addEventListener("click", async (event) => {
    const link = event.target.closest(".languages a");
    if (!link || event.button || event.ctrlKey || event.metaKey || event.shiftKey || (!input.files.length && !rows.length)) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    const answer = await fetch(link.href, { headers: { Accept: "text/html" } }).catch(() => null);
    const page = answers.parse(answer ? await answer.text() : "");
    const other = page.querySelector("[data-upload]");
    if (!other) return;
    document.documentElement.lang = page.documentElement.lang;
    Object.assign(texts, other.dataset);
    [submit, title] = [other.querySelector("[type=submit]").textContent, page.title];
    for (const selector of ["label", ".hint", ".dropping"]) drop.querySelector(selector).textContent = other.querySelector(selector).textContent;
    form.querySelector("template").replaceWith(other.querySelector("template"));
    const shown = page.querySelector("[data-uploads]");
    Object.assign(list.dataset, shown.dataset);
    list.replaceChildren(...shown.childNodes);
    shown.replaceWith(list);
    other.replaceWith(form);
    page.querySelector("[data-announced]").replaceWith(announced);
    document.body.replaceWith(document.adoptNode(page.body));
    showTimes(document);
    const labels = form.querySelector("template").content;
    for (const row of rows) {
      for (const part of ["a", "button"]) row.element.querySelector(part).textContent = labels.querySelector(part).textContent;
      show(row, row.state, row.text, row);
    }
    update();
    document.querySelector(".languages [aria-current]").focus();
  }, true);

  let inside = 0;
  const over = (change) => {
    inside = Math.max(0, inside + change);
    drop.classList.toggle("over", inside > 0);
  };
  const hasFiles = (event) => event.dataTransfer && [...event.dataTransfer.types].includes("Files");
  addEventListener("dragenter", (event) => { if (hasFiles(event)) over(1); });
  addEventListener("dragleave", (event) => { if (hasFiles(event)) over(-1); });
  addEventListener("dragover", (event) => { if (hasFiles(event)) event.preventDefault(); });
  addEventListener("drop", (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    over(-inside);
    const files = [], folders = [];
    for (const item of event.dataTransfer.items) {
      const entry = item.webkitGetAsEntry();
      if (entry?.isDirectory) folders.push(entry.name);
      else if (item.kind === "file") files.push(item.getAsFile());
    }
    if (files.length) {
      const chosen = new DataTransfer();
      for (const file of [...input.files].filter(isNew).concat(files)) chosen.items.add(file);
      input.files = chosen.files;
    }
    take(files.length ? [...input.files] : [], folders);
  });
}

// The progress bar of an upload in process: polls every second until its page changes.
const watched = document.querySelector("[data-watch]");
if (watched) {
  const bar = watched.querySelector("progress");
  const look = async () => {
    try {
      const answer = await fetch(watched.dataset.watch, { headers: { Accept: "application/json" } });
      if (answer.ok) {
        const progress = await answer.json();
        if (progress.state !== watched.dataset.state) {
          location.reload();
          return;
        }
        bar.value = progress.share;
        for (const name of ["objects", "rate", "left"]) watched.querySelector(`[data-${name}]`).textContent = progress[name];
        announce([progress.objects, progress.left].filter(Boolean).join(", "));
      } else if (answer.status < 500) { // signed out, or swept
        location.reload();
        return;
      }
    } catch {
      // the network or the server may recover
    }
    setTimeout(look, 1000);
  };
  setTimeout(look, 1000);
}

// Buttons print all slips of the page, or those of a group.
for (const button of document.querySelectorAll("[data-print]")) {
  button.hidden = false;
  button.addEventListener("click", () => {
    const group = button.closest(".of-group");
    document.body.classList.toggle("one-group", group !== null);
    group?.classList.add("printed");
    window.print();
  });
}
window.addEventListener("afterprint", () => {
  document.body.classList.remove("one-group");
  document.querySelector(".printed")?.classList.remove("printed");
});
