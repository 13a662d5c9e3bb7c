import { describe, expect, it } from 'vitest';
import { answerTo } from './request.ts';

const files = new Set(['index.html', 'main.js']);
const asked = { method: 'GET', host: 'localhost:8088', url: '/' };

describe('a request', () => {
  it.each(['localhost', 'LOCALHOST:8088', '127.0.0.1', '127.0.0.1:1', '[::1]:65535'])('of %s is answered', (host) => {
    expect(answerTo({ ...asked, host }, files)).toEqual({ kind: 'file', name: 'index.html' });
  });

  it.each([
    undefined,
    '',
    'evil.example',
    'localhost.evil.example',
    'evil.example:8088',
    'localhost:8088.evil.example',
    'localhost:',
    'user@localhost',
    '127.0.0.1.evil.example',
    '127.0.0.2',
    '0.0.0.0:8088',
    '::1',
    'localhost, evil.example',
    'localhost\nevil',
  ])('of %s is refused', (host) => {
    expect(answerTo({ ...asked, host }, files)).toMatchObject({ kind: 'refused', code: 403 });
  });

  it.each(['POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE', 'get'])('by %s is refused', (method) => {
    expect(answerTo({ ...asked, method }, files)).toMatchObject({ kind: 'refused', code: 405 });
  });

  it('may ask for the head alone, and with a query', () => {
    expect(answerTo({ ...asked, method: 'HEAD', url: '/main.js?v=1' }, files)).toEqual({
      kind: 'file',
      name: 'main.js',
    });
    expect(answerTo({ ...asked, url: '/events' }, files)).toEqual({ kind: 'events' });
  });

  it.each([
    '/../package.json',
    '/..%2f..%2fpackage.json',
    '/%2e%2e/package.json',
    '/./main.js',
    '//main.js',
    '/main.js/',
    '/MAIN.JS',
    '/main.js%00',
    '\\main.js',
    'main.js',
    'http://localhost/main.js',
    '*',
    '',
    '/constructor',
  ])('for %s finds nothing', (url) => {
    expect(answerTo({ ...asked, url }, files)).toMatchObject({ kind: 'refused', code: 404 });
  });
});
