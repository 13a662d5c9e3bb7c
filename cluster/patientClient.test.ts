import { expect, it } from 'vitest';
import type { ApiClient, ApiResponse } from './apiClient.ts';
import { patientClient } from './patientClient.ts';

const answering = (...answers: readonly (ApiResponse | Error)[]): { readonly api: ApiClient; asked(): number } => {
  let asked = 0;
  return {
    api: {
      ask: async () => {
        const answer = answers[Math.min(asked++, answers.length - 1)];
        if (answer === undefined || answer instanceof Error) throw answer;
        return answer;
      },
      close: () => {},
    },
    asked: () => asked,
  };
};

const silence = new Error('no answer from 10.0.0.1:6443 within 5000 ms');

it('asks again where there is no answer, and no more where there is one', async () => {
  const { api, asked } = answering(silence, silence, { status: 500, body: 'no' });
  expect(await patientClient(api).ask('GET', '/livez')).toEqual({ status: 500, body: 'no' });
  expect(asked()).toBe(3);
});

it('says what was asked and what came back where none comes in time', async () => {
  const { api } = answering(silence);
  await expect(patientClient(api, 50).ask('PATCH', '/api/v1/nodes/a')).rejects.toMatchObject({
    parts: { tried: 'see an answer to PATCH /api/v1/nodes/a within 0.05 s', got: silence.message },
  });
});
