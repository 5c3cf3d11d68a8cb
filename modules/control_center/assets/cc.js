// What a server cannot do: the viewer's own time, dialogs where `command` is not known, the menu of small
// screens, and telling the page's moving parts to look again. Everything works without it, a little less well.
(function () {
  "use strict";

  var relative = new Intl.RelativeTimeFormat(undefined, { numeric: "auto" });
  var exact = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });
  var units = [["day", 86400], ["hour", 3600], ["minute", 60]];

  function ago(seconds) {
    for (var i = 0; i < units.length; i++) {
      if (Math.abs(seconds) >= units[i][1]) {
        return relative.format(Math.round(seconds / units[i][1]), units[i][0]);
      }
    }
    return relative.format(Math.round(seconds), "second");
  }

  function tellTimes() {
    document.querySelectorAll("time[data-when]").forEach(function (it) {
      var at = new Date(it.dateTime);
      it.textContent = ago((at - Date.now()) / 1000);
      it.title = exact.format(at);
    });
  }

  // Where the viewer's days begin: a list's days are theirs, not the server's.
  function tellZone() {
    var minutes = -new Date().getTimezoneOffset();
    var two = function (number) { return String(Math.floor(number)).padStart(2, "0"); };
    var zone = (minutes < 0 ? "-" : "+") + two(Math.abs(minutes) / 60) + ":" + two(Math.abs(minutes) % 60);
    document.querySelectorAll("input[data-zone]").forEach(function (it) { it.value = zone; });
  }

  // What a filter does not ask for has no place in the address.
  function leaveOutEmpty(event) {
    var asked = event.detail.parameters;
    if (event.detail.verb !== "get") return;
    Object.keys(asked).forEach(function (name) {
      if (asked[name] === "") delete asked[name];
    });
    if (!asked.since && !asked.until) delete asked.zone;
  }

  function openDialogs(event) {
    var button = event.target.closest("button[commandfor]");
    if (!button || "commandForElement" in HTMLButtonElement.prototype) return;
    var dialog = document.getElementById(button.getAttribute("commandfor"));
    if (button.getAttribute("command") === "show-modal") dialog.showModal();
    if (button.getAttribute("command") === "close") dialog.close();
  }

  function toggleMenu(event) {
    var button = event.target.closest("button.menu");
    if (!button) return;
    var open = button.getAttribute("aria-expanded") === "true";
    button.setAttribute("aria-expanded", String(!open));
  }

  // A filter that is refused: the page of its address says why, and how to go back.
  function showRefusal(event) {
    var asked = event.detail;
    if (asked.elt.matches("form.filters")) location.assign(asked.pathInfo.finalRequestPath);
  }

  function isLive(request) {
    return Boolean(request.triggeringEvent) && request.triggeringEvent.type === "live";
  }

  // What a page asks by itself is no use of the session, so that a tab left open does not keep it.
  function sayLive(event) {
    if (isLive(event.detail)) event.detail.headers["x-live"] = "1";
  }

  // What was asked for before a dialog opened comes too late; and whoever is at a link or a button stays at it.
  var kept = null;
  function keepPlace(event) {
    var it = document.activeElement;
    kept = null;
    if (!isLive(event.detail.requestConfig)) return;
    if (document.querySelector("dialog[open]")) {
      event.detail.shouldSwap = false;
    } else if (event.detail.target.contains(it)) {
      var name = it.hasAttribute("href") ? "href" : "commandfor";
      kept = "[" + name + "='" + CSS.escape(it.getAttribute(name) || "") + "']";
    }
  }
  function backToPlace() {
    var it = kept && document.querySelector("#main " + kept);
    kept = null;
    if (it) it.focus({ preventScroll: true });
  }

  function live() {
    // Nobody looks at a page in the background, and under a dialog nothing moves.
    if (!document.hidden && !document.querySelector("dialog[open]")) document.body.dispatchEvent(new Event("live"));
  }

  // A page is told to look again where it has something that moves, and as long as it is looked at.
  var events = null;
  function listen() {
    var wanted = !document.hidden && document.querySelector("[hx-trigger^=live]");
    if (!wanted) {
      if (events) events.close();
      events = null;
    } else if (!events) {
      open(document.body.dataset.live);
    }
  }
  function open(address) {
    var mine = events = new EventSource(address);
    mine.addEventListener("tick", live);
    mine.addEventListener("error", function () {
      // A connection that was lost comes again by itself; one that was refused does not. The look finds
      // out why: whoever is signed out is led to the sign-in.
      if (mine.readyState !== EventSource.CLOSED || mine !== events) return;
      events = null;
      setTimeout(function () { listen(); live(); }, 3000);
    });
  }

  document.addEventListener("click", openDialogs);
  document.addEventListener("click", toggleMenu);
  document.addEventListener("htmx:afterSwap", tellTimes);
  setInterval(tellTimes, 15000);
  document.addEventListener("htmx:configRequest", leaveOutEmpty);
  document.addEventListener("htmx:configRequest", sayLive);
  document.addEventListener("htmx:responseError", showRefusal);
  document.addEventListener("htmx:beforeSwap", keepPlace);
  document.addEventListener("htmx:afterSwap", backToPlace);
  document.addEventListener("htmx:afterSwap", listen);
  document.addEventListener("visibilitychange", function () { listen(); live(); });
  tellTimes();
  tellZone();
  listen();
})();
