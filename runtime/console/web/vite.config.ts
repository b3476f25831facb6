import { defineConfig } from 'vite';

// `npm run dev` shows the page with live reload against an operator on this address.
const operator = 'http://127.0.0.1:8080';

export default defineConfig({
  base: '/console/',
  esbuild: { jsx: 'automatic', jsxImportSource: 'preact' },
  build: {
    target: ['chrome123', 'firefox121', 'safari17.5'],
    assetsInlineLimit: 0, // the Content-Security-Policy allows files only
    modulePreload: { polyfill: false },
  },
  server: { host: '127.0.0.1', proxy: { '/api': operator } }, // needs no localhost in /etc/hosts
});
