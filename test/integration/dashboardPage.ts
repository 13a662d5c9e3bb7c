import type { Page } from 'playwright-core';
import { expect } from 'vitest';

/** What a page does from now on that it should not: errors, warnings, requests to anybody but its server. */
export const watchForWrongs = (page: Page, url: string): string[] => {
  const wrongs: string[] = [];
  page.on('pageerror', ({ message }) => wrongs.push(message));
  page.on('console', (said) => {
    if (said.type() === 'error' || said.type() === 'warning') wrongs.push(said.text());
  });
  page.on('request', (request) => {
    if (!request.url().startsWith(url)) wrongs.push(`asked for ${request.url()}`);
  });
  return wrongs;
};

/** Waits for what a page comes to by itself. */
export const becomes = <T>(what: () => Promise<T>, expected: T): Promise<void> =>
  expect.poll(what, { timeout: 5_000 }).toEqual(expected);

/** Points at the right end of the first strip. */
export const pointAtNow = async (page: Page): Promise<void> => {
  const strip = page.locator('.strip').first();
  await strip.scrollIntoViewIfNeeded();
  const box = await strip.boundingBox();
  await page.mouse.move((box?.x ?? 0) + (box?.width ?? 0) - 1, (box?.y ?? 0) + 5);
};
