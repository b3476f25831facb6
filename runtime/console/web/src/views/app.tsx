import { api } from '../api.ts';
import { useLoaded, useRoute } from '../hooks.ts';
import type { Route } from '../route.ts';
import { ThemeButton } from '../parts/theme.tsx';
import { ActorView } from './actor.tsx';
import { ChainView } from './chain.tsx';
import { FleetView } from './fleet.tsx';
import { RecentView } from './recent.tsx';

export function App() {
  const route = useRoute();
  return (
    <>
      <a class="skip" href="#main">
        Skip to content
      </a>
      <Header route={route} />
      <main id="main" class={`view-${route.view}`} tabIndex={-1}>
        <View route={route} />
      </main>
    </>
  );
}

function View({ route }: { route: Route }) {
  switch (route.view) {
    case 'fleet':
      return <FleetView filter={route.filter} />;
    case 'recent':
      return <RecentView />;
    case 'actor':
      return <ActorView key={route.id} id={route.id} />;
    case 'chain':
      return <ChainView key={route.id} id={route.id} />;
    case 'unknown':
      return (
        <div class="notice">
          Nothing is shown at “{route.path}”. <a href="#/">Go to the fleet</a>.
        </div>
      );
  }
}

function Header({ route }: { route: Route }) {
  const { data } = useLoaded('summary', api.summary);
  const current = (view: Route['view']) => (route.view === view ? ('page' as const) : undefined);
  return (
    <header class="top">
      <a class="brand" href="#/" aria-label="Troupe, the fleet">
        <Logo />
        Troupe
      </a>
      <nav aria-label="Views">
        <a href="#/" aria-current={current('fleet')}>
          Fleet
        </a>
        <a href="#/recent" aria-current={current('recent')}>
          Recent runs
        </a>
      </nav>
      <span class="spring" />
      {data && (
        <>
          {data.leader !== null && (
            <span class={`pill ${data.leader ? 'good' : 'plain'}`}>{data.leader ? 'Leader' : 'Standby'}</span>
          )}
          <span class="version">{data.version}</span>
        </>
      )}
      <ThemeButton />
    </header>
  );
}

function Logo() {
  return (
    <svg viewBox="0 0 24 24" width="22" height="22" aria-hidden="true">
      <rect width="24" height="24" rx="6" class="logo" />
      <circle cx="7.5" cy="8.5" r="2.6" fill="#fff" />
      <circle cx="16.5" cy="8.5" r="2.6" fill="#fff" opacity=".75" />
      <circle cx="12" cy="16" r="2.6" fill="#fff" opacity=".9" />
    </svg>
  );
}
