import { type Browser, chromium } from 'playwright-core';
import { Failure } from '../../common/failure.ts';
import { lineProgress } from '../../common/progress.ts';
import { allOnPath } from '../../toolchain/locate.ts';
import { installMissing } from '../../toolchain/systemPackages.ts';

/** What distributions call it. */
const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];

const locate = async (): Promise<string | undefined> =>
  (await Promise.all(names.map((name) => allOnPath(name, process.env)))).flat()[0];

/** Installing is a download of 100 MB. Milliseconds. */
export const browserWithinMs = 600_000;

const ensureChromium = async (): Promise<string> => {
  const there = await locate();
  if (there !== undefined) return there;
  const progress = lineProgress((line) => process.stderr.write(line));
  await installMissing(progress, [{ name: 'chromium', commands: ['chromium'] }]);
  const installed = await locate();
  if (installed !== undefined) return installed;
  throw new Failure({
    tried: 'find chromium',
    got: 'its package put none on PATH',
    next: "look at 'dpkg -L chromium'",
  });
};

/** A Chromium without a window and with an empty profile of its own, that asks nothing of the network by itself. */
export const startBrowser = async (): Promise<Browser> =>
  chromium.launch({
    executablePath: await ensureChromium(),
    headless: true,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
