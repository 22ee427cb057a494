// Drives a browser with a workbench in it, for pytest: one JSON object a line in, one out.
//
// It knows pages, keys and selectors, and neither VS Code nor Greenloop. A request is
// {"id": 1, "do": "click", ...}; its answer {"id": 1, "value": ...} or {"id": 1, "error": "..."}.
// Requests are carried out one after the other, in the order they came.

import { createInterface } from "node:readline";

const [playwright, executablePath] = process.argv.slice(2);
const { chromium } = (await import(playwright)).default;

const browser = await chromium.launch({
  executablePath,
  // The sandbox of a browser cannot be had as root or in most containers; it shows our own pages.
  args: ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--force-color-profile=srgb"],
});

let context;
let page;
let said = [];

const doing = {
  async open({ url, width, height, scale = 1 }) {
    await doing.close();
    context = await browser.newContext({
      viewport: { width, height },
      deviceScaleFactor: scale,
      reducedMotion: "reduce",
      permissions: ["clipboard-read", "clipboard-write"],
    });
    page = await context.newPage();
    said = [];
    page.on("console", (message) => said.push(`${message.type()}: ${message.text()}`));
    page.on("pageerror", (error) => said.push(`thrown: ${error.message}`));
    await page.goto(url, { waitUntil: "commit" });
  },

  async reload() {
    await page.reload({ waitUntil: "commit" });
  },

  // Leaves the page as a user does who closes the tab, so that the other side hears of it.
  async close() {
    if (context === undefined) return;
    await page.goto("about:blank", { timeout: 5000 }).catch(() => {});
    await context.close();
    context = undefined;
  },

  async wait({ selector, state, timeout }) {
    await page.locator(selector).first().waitFor({ state, timeout });
  },

  async click({ selector, button, count, timeout, force }) {
    await page.locator(selector).first().click({ button, clickCount: count, timeout, force });
  },

  // Clicks on a link that stands right above a line of an editor, scrolling down to find it.
  async clickAbove({ line, link, timeout }) {
    const until = Date.now() + timeout;
    while (Date.now() < until) {
      const at = await page.evaluate(linkAbove, { line, link });
      if (at !== null) {
        await page.mouse.click(at.x, at.y);
        return;
      }
      await page.mouse.move(900, 500);
      await page.mouse.wheel(0, 200);
      await page.waitForTimeout(100);
    }
    throw new Error(`nothing called "${link}" above a line with "${line}"`);
  },

  async hover({ selector, timeout }) {
    await page.locator(selector).first().hover({ timeout });
  },

  async press({ keys }) {
    for (const key of keys) await page.keyboard.press(key);
  },

  async type({ text }) {
    await page.keyboard.type(text);
  },

  async move({ x, y }) {
    await page.mouse.move(x, y);
  },

  async texts({ selector }) {
    return (await page.locator(selector).allInnerTexts()).map((text) => text.replaceAll("\u00a0", " "));
  },

  async attributes({ selector, name }) {
    return page.locator(selector).evaluateAll(
      (found, name) => found.map((element) => element.getAttribute(name) ?? ""),
      name,
    );
  },

  async screenshot({ path }) {
    await page.screenshot({ path, animations: "disabled", caret: "hide" });
  },

  // Waits until the screen stands still: two pictures a while apart that are the same.
  async settle({ timeout = 15000 }) {
    const until = Date.now() + timeout;
    let last = "";
    while (Date.now() < until) {
      const now = (await page.screenshot({ caret: "hide" })).toString("base64");
      if (now === last) return;
      last = now;
      await page.waitForTimeout(700);
    }
  },

  async console() {
    return said;
  },
};

// Runs in the page. Only what can be seen counts: editors keep lines beyond their borders.
function linkAbove({ line, link }) {
  const textOf = (element) => element.textContent.replaceAll("\u00a0", " ");
  const isSeen = ({ left, top, width, height }, element) => {
    const hit = document.elementFromPoint(left + Math.min(width / 2, 20), top + height / 2);
    return hit !== null && (element.contains(hit) || hit.contains(element));
  };
  const links = [...document.querySelectorAll(".codelens-decoration a")].filter((each) =>
    textOf(each).includes(link),
  );
  for (const found of document.querySelectorAll(".view-line")) {
    const box = found.getBoundingClientRect();
    if (!textOf(found).includes(line)) continue;
    for (const each of links) {
      const place = each.getBoundingClientRect();
      const isAbove = Math.abs(place.bottom - box.top) < place.height;
      const isBeside = place.left >= box.left - 1 && place.left < box.right;
      if (isAbove && isBeside && isSeen(place, each)) {
        return { x: place.left + place.width / 2, y: place.top + place.height / 2 };
      }
    }
  }
  return null;
}

for await (const line of createInterface({ input: process.stdin })) {
  const { id, do: name, ...rest } = JSON.parse(line);
  let answer;
  try {
    answer = { id, value: (await doing[name](rest)) ?? null };
  } catch (error) {
    answer = { id, error: String(error?.message ?? error) };
  }
  process.stdout.write(JSON.stringify(answer) + "\n");
}
await browser.close();
