"use strict";

const answers = {}; // functions that other scripts use, too

{ // other names of this script are its own
  const svg = (...paths) => {
    const icon = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    icon.setAttribute("viewBox", "0 0 24 24");
    icon.setAttribute("aria-hidden", "true");
    for (const path of paths) {
      const line = document.createElementNS("http://www.w3.org/2000/svg", "path");
      line.setAttribute("d", path);
      icon.append(line);
    }
    return icon;
  };

  const addReveal = (wrapper) => {
    const input = wrapper.querySelector("input[type=password]");
    const button = document.createElement("button");
    button.type = "button";
    button.className = "reveal";
    button.title = wrapper.dataset.reveal;
    button.setAttribute("aria-label", wrapper.dataset.reveal);
    button.setAttribute("aria-controls", input.id);
    button.append(svg("M2 12s3.6-6.5 10-6.5S22 12 22 12s-3.6 6.5-10 6.5S2 12 2 12zM12 9a3 3 0 100 6 3 3 0 000-6z", "M4 20L20 4"));

    const show = (shown) => {
      input.type = shown ? "text" : "password";
      button.setAttribute("aria-pressed", String(shown));
    };
    show(false);
    button.addEventListener("click", () => show(input.type === "password"));
    // Browsers offer to save a password only if it is sent from a password field.
    input.form.addEventListener("submit", () => show(false));
    input.spellcheck = false;
    input.autocapitalize = "none";
    input.parentElement.classList.add("revealing");
    input.parentElement.append(button);
  };

  const enhance = () => document.querySelectorAll("[data-reveal]").forEach(addReveal);
  enhance();

  const fragment = location.hash; // browsers keep it when the server redirects to the sign-in page

  // A language chosen by a link is stored, and not part of the address.
  const address = new URL(location);
  if (address.searchParams.has("lang")) {
    address.searchParams.delete("lang");
    history.replaceState(history.state, "", address);
  }

  const typedFields = () => [...document.querySelectorAll("main :is(input, select, textarea)[name]:not([type=hidden], [type=file], [readonly])")];
  const isChoice = (field) => field.type === "checkbox" || field.type === "radio";
  const isTyped = (field) => {
    if (field.form?.id === "form") return field.value !== ""; // the page may be the answer to a form
    if (field.options) return [...field.options].some((option) => option.value && option.selected !== option.defaultSelected);
    return isChoice(field) ? field.checked !== field.defaultChecked : field.value !== field.defaultValue;
  };
  const typed = () => typedFields().map((field) => [field.name, isChoice(field) ? field.checked : field.value]);

  // Restores what typed returned on the same page.
  const restore = (values, withPasswords) => typedFields().forEach((field, i) => {
    if (values[i]?.[0] !== field.name || (field.type === "password" && !withPasswords)) return;
    if (isChoice(field)) field.checked = values[i][1];
    else field.value = values[i][1];
  });

  // Shows a page with the same form in place of this one. So passwords stay in the page without being stored.
  const show = (page, withPasswords) => {
    const values = typed();
    page.querySelectorAll("noscript").forEach((element) => element.remove());
    document.documentElement.lang = page.documentElement.lang;
    document.title = page.title;
    document.body.replaceWith(document.adoptNode(page.body));
    showTimes(document);
    restore(values, withPasswords);
    if (withPasswords) document.querySelectorAll("[data-retype]").forEach((hint) => hint.remove());
    enhance();
  };

  const parse = (text) => new DOMParser().parseFromString(text, "text/html");
  const isOwn = (page) => page.querySelector("header .wordmark") !== null;

  const wait = (form, is) => {
    form.setAttribute("aria-busy", String(is));
    for (const button of form.querySelectorAll("button[type=submit]")) button.setAttribute("aria-disabled", String(is));
  };

  const texts = () => document.getElementById("unsent").dataset;
  const element = (name, properties, ...children) => {
    const made = Object.assign(document.createElement(name), properties);
    made.append(...children);
    return made;
  };

  // Says why a form was not accepted. The form stays filled in.
  const explain = (form, button, reason, mustSignIn) => {
    const { error, resend, kept, signIn } = texts();
    const lines = typedFields().some(isTyped) ? [reason, kept] : [reason];
    if (mustSignIn) {
      const href = `/login?next=${encodeURIComponent(location.pathname + location.search)}`;
      lines.push(element("a", { href, target: "_blank", rel: "noopener", textContent: signIn }));
    }
    const alert = element("div", { className: "message bad unsent", role: "alert", tabIndex: -1 },
      element("div", {}, ...lines.map((line) => element("p", {}, line))));
    alert.prepend(document.querySelector("#unsent svg").cloneNode(true));
    if (form?.closest("main")) (button?.closest(".submit") ?? form).before(alert);
    else document.querySelector("main").prepend(alert);
    if (button) button.textContent = resend;
    if (!document.title.startsWith(error)) document.title = `${error} ${document.title}`;
    alert.focus();
  };

  const reasonOf = (page) => [...page.querySelectorAll(".message.bad p, .problem :is(h1, .lead, .request)")].map((line) => line.textContent.trim().replace(/[^.:]$/, "$&.")).join(" ");
  const reasonOfOther = (status) => {
    const { [status]: known, server, foreign } = texts();
    return known ?? (status >= 500 ? server : foreign).replace("{}", status);
  };

  Object.assign(answers, { parse, isOwn, reasonOf, reasonOfOther, texts });

  // Sends a form. The server answers with the address to go to, or with a page that has the reason why it rejects the form.
  const send = async (form, button) => {
    const body = new URLSearchParams(new FormData(form));
    if (button?.name) body.append(button.name, button.value);
    document.querySelectorAll(".unsent").forEach((alert) => alert.remove());
    wait(form, true);
    let answer, text;
    try {
      answer = await fetch(button?.getAttribute("formaction") ?? form.getAttribute("action"), {
        method: "POST", body, redirect: "manual", headers: { Accept: "text/html", "X-Requested-With": "fetch" },
        signal: AbortSignal.timeout(90_000), // the server takes less
      });
      text = await answer.text();
    } catch {
      wait(form, false);
      explain(form, button, texts().connection);
      return;
    }
    const next = answer.headers.get("Location");
    if (answer.status === 204 && next) {
      location.assign(form.elements.next && !next.includes("#") ? next + fragment : next); // the form waits until the browser leaves the page
      return;
    }
    wait(form, false);
    const page = parse(text);
    if (form.id === "form" && page.querySelector("#form")) {
      show(page, page.querySelector("[data-resends]") !== null);
      document.querySelector("main [autofocus]")?.focus();
    } else if (answer.status === 401 && isOwn(page)) {
      explain(form, button, texts().session, true);
    } else {
      explain(form, button, isOwn(page) ? reasonOf(page) : reasonOfOther(answer.status));
    }
  };

  addEventListener("submit", (event) => {
    const form = event.target;
    if (event.defaultPrevented || form.getAttribute("method") !== "post" || form.hasAttribute("enctype")) return;
    event.preventDefault();
    if (form.getAttribute("aria-busy") !== "true") send(form, event.submitter);
  });

  // The language switch keeps what was typed. A page with passwords is replaced. Any other one is loaded again, and finds what was typed in
  // the state of its place in the history.
  const switchLanguage = async (link) => {
    let page;
    try {
      const answer = await fetch(link.href, { headers: { Accept: "text/html" } });
      page = parse(await answer.text());
      if (answer.redirected || !isOwn(page)) throw new Error("another page");
    } catch {
      explain(null, null, texts().connection);
      return;
    }
    if (document.getElementById("form")) {
      show(page, true);
      document.querySelector(".languages [aria-current]").focus();
      return;
    }
    history.replaceState({ typed: typed() }, "");
    location.reload();
  };
  if (history.state?.typed) {
    restore(history.state.typed, false);
    history.replaceState(null, "");
  }
  addEventListener("click", (event) => {
    const link = event.target.closest?.(".languages a");
    if (event.defaultPrevented || !link || !typedFields().some(isTyped) || event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    switchLanguage(link);
  });

  // Browsers ignore autofocus where the address names a part of the page.
  if (location.hash) addEventListener("load", () => document.querySelector("[autofocus]")?.focus());

  // Browsers keep pages for the back button, even with no-store. The user may have signed out since.
  addEventListener("pageshow", ({ persisted }) => {
    for (const form of document.forms) if (form.hasAttribute("aria-busy")) wait(form, false);
    if (persisted && document.querySelector("header form[action='/logout']")) location.reload();
  });
}
