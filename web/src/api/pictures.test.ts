/** Faces of one page ask for their pictures together. */
import { expect, test, vi } from 'vitest';
import { Gatherer } from './pictures';

function gatherer(pictures: (people: string[]) => Promise<Record<string, string>>) {
  const asked = vi.fn(pictures);
  return { asked, gatherer: new Gatherer({ pictures: asked }) };
}

test('questions of one moment are one question, each person named once', async () => {
  const { asked, gatherer: pictures } = gatherer(() => Promise.resolve({ lin: '/lin' }));
  const answers = Promise.all([pictures.ask('lin'), pictures.ask('bo'), pictures.ask('lin')]);
  expect(await answers).toEqual(['/lin', null, '/lin']);
  expect(asked.mock.calls).toEqual([[['lin', 'bo']]]);
  expect(await pictures.ask('cy')).toBe(null);
  expect(asked).toHaveBeenCalledTimes(2);
});

test('a question is never about more people than the server answers for', async () => {
  const { asked, gatherer: pictures } = gatherer(() => Promise.resolve({}));
  await Promise.all(Array.from({ length: 250 }, (_, n) => pictures.ask(String(n))));
  expect(asked.mock.calls.map(([people]) => people.length)).toEqual([200, 50]);
});

test('a failure is told to all who asked, and to nobody after', async () => {
  let failing = true;
  const { gatherer: pictures } = gatherer(() =>
    failing ? Promise.reject(new Error('away')) : Promise.resolve({ bo: '/bo' }),
  );
  const answers = await Promise.allSettled([pictures.ask('lin'), pictures.ask('bo')]);
  expect(answers.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  failing = false;
  expect(await pictures.ask('bo')).toBe('/bo');
});
