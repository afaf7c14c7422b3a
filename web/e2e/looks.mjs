/** How a page looks to those who measure: width, accessibility, pictures. */
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Waits until nothing fades or moves that comes to an end: a dialog that is half there has half its contrast. */
async function still(page) {
  await page.evaluate(async () => {
    const frame = () => new Promise((next) => requestAnimationFrame(next));
    const ends = (animation) => animation.effect?.getComputedTiming().endTime !== Infinity;
    let quiet = 0;
    while (quiet < 3) {
      await frame();
      const moving = document.getAnimations().filter((animation) => animation.playState === 'running' && ends(animation));
      await Promise.allSettled(moving.map((animation) => animation.finished));
      quiet = moving.length === 0 ? quiet + 1 : 0;
    }
  });
}

/** What is wider than the window, although nothing in it scrolls sideways, once the page stands still. */
export async function tooWide(page) {
  await still(page);
  return page.evaluate(() => {
    const width = document.documentElement.clientWidth;
    if (document.documentElement.scrollWidth <= width) return [];
    const wide = [...document.body.querySelectorAll('*')].filter(
      (element) => element.getBoundingClientRect().right > width + 1,
    );
    return wide.slice(0, 5).map((element) => element.outerHTML.slice(0, 160));
  });
}

/** What axe calls serious or critical, with the elements it means, once the page stands still. */
export async function axe(page) {
  await still(page);
  const source = await readFile(new URL('../node_modules/axe-core/axe.min.js', import.meta.url), 'utf8');
  await page.evaluate(source);
  const found = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ['violations'] }));
  return found.violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html.slice(0, 200)).join(' | ')}`);
}

/** A picture of the page, if WEFT_SHOTS names a folder for it. */
export async function shoot(page, name) {
  const folder = process.env.WEFT_SHOTS;
  if (folder === undefined) return;
  await still(page);
  await mkdir(folder, { recursive: true });
  await page.screenshot({ path: join(folder, `${name}.png`) });
}
