import { useState } from 'preact/hooks';

const themes = ['auto', 'light', 'dark'] as const;
type Theme = (typeof themes)[number];

const icons: Record<Theme, string> = {
  auto: 'M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18Zm0 2v14a7 7 0 0 1 0-14Z',
  light:
    'M12 7a5 5 0 1 0 0 10 5 5 0 0 0 0-10ZM11 1h2v4h-2V1Zm0 18h2v4h-2v-4ZM1 11h4v2H1v-2Zm18 0h4v2h-4v-2ZM4.2 5.6l1.4-1.4 2.8 2.8L7 8.4 4.2 5.6Zm11.4 11.4 1.4-1.4 2.8 2.8-1.4 1.4-2.8-2.8ZM5.6 19.8l-1.4-1.4L7 15.6 8.4 17l-2.8 2.8ZM17 8.4 15.6 7l2.8-2.8 1.4 1.4L17 8.4Z',
  dark: 'M20 14.5A8.5 8.5 0 0 1 9.5 4 8.5 8.5 0 1 0 20 14.5Z',
};

// public/theme.js applies the choice before the first paint.
function apply(theme: Theme): void {
  if (theme === 'auto') {
    localStorage.removeItem('theme');
    delete document.documentElement.dataset['theme'];
  } else {
    localStorage.setItem('theme', theme);
    document.documentElement.dataset['theme'] = theme;
  }
}

export function ThemeButton() {
  const chosen = document.documentElement.dataset['theme'];
  const [theme, setTheme] = useState<Theme>(themes.find((t) => t === chosen) ?? 'auto');
  const next = themes[(themes.indexOf(theme) + 1) % themes.length] ?? 'auto';
  const label = `Theme: ${theme}. Change to ${next}.`;
  return (
    <button
      type="button"
      class="icon"
      aria-label={label}
      title={label}
      onClick={() => {
        apply(next);
        setTheme(next);
      }}
    >
      <svg viewBox="0 0 24 24" width="18" height="18" aria-hidden="true">
        <path d={icons[theme]} fill="currentColor" />
      </svg>
    </button>
  );
}
