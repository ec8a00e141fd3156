/**
 * `/metrics` in the Prometheus text format: what the runtime and the server count, and the process itself.
 * The library is loaded with the first scrape, since it costs a quarter of the daemon's start.
 */
import type prom from 'prom-client';
import type { HistogramView, RuntimeStats } from '../runtime/api.ts';
import type { OutboxFigures } from '../store/outbox.ts';
import type { StoreStats } from '../store/port.ts';
import type { Storage } from './options.ts';

export interface ServerFigures {
  /** By operation and status, separated by a space. */
  readonly requests: ReadonlyMap<string, number>;
  readonly connections: number;
  readonly connectionsRefused: number;
  readonly connectionsCut: number;
  /** Of callers with a token, and of those with none. */
  readonly bodyBytes: { readonly token: number; readonly none: number };
  readonly bodiesWaiting: { readonly token: number; readonly none: number };
  readonly bodiesCut: { readonly token: number; readonly none: number };
  /** Null: not watched. */
  readonly storage: Storage | null;
  readonly logDropped: number;
  readonly streams: number;
  readonly longPolls: number;
  readonly streamEvents: number;
  readonly streamBytes: number;
  readonly streamsEnded: ReadonlyMap<string, number>;
}

type Prometheus = typeof prom;

let loading: Promise<{ readonly prometheus: Prometheus; readonly processFigures: () => Promise<string> }> | null = null;

/** The process is one, whatever number of servers runs in it. */
function load(): NonNullable<typeof loading> {
  return (loading ??= import('prom-client').then((module) => {
    const prometheus = module.default;
    const registry = new prometheus.Registry();
    // The delay of the event loop is sampled by a timer; 100 ms keeps an idle daemon idle.
    prometheus.collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: 100 });
    return { prometheus, processFigures: () => registry.metrics() };
  }));
}

export async function renderMetrics(stats: RuntimeStats, figures: ServerFigures): Promise<string> {
  const { prometheus, processFigures } = await load();
  const page = new Page(prometheus);
  runtimeFigures(page, stats);
  serverFigures(page, figures);
  return (await page.text()) + (await processFigures());
}

function runtimeFigures(page: Page, { store, replies, ...stats }: RuntimeStats): void {
  page.gauge('queue_depth', 'Tasks that wait, by lane.', 'lane', stats.queueDepth);
  page.gauge('open_tasks', 'Open tasks.', null, { '': stats.openTasks.open });
  page.gauge('open_tasks_limit', 'Open tasks that the daemon accepts.', null, { '': stats.openTasks.limit });
  page.gauge('open_tasks_source_limit', 'Open tasks of one source that the daemon accepts.', null, {
    '': stats.openTasks.sourceLimit,
  });
  page.gauge('open_tasks_by_source', 'Open tasks of the sources that have most.', 'source', bySource(stats));
  page.gauge('holds', 'Sessions that have an owner.', null, { '': stats.holds });
  page.gauge('sessions_live', 'Sessions in memory.', null, { '': stats.sessionsLive });
  page.gauge('agents_running', 'Agents running.', null, { '': stats.agentsRunning });
  page.gauge('permission_requests', 'Permission requests that wait for a person.', null, {
    '': stats.permissionRequests,
  });
  page.gauge('sessions_throttled', 'Sessions in memory that are throttled, by level.', 'level', stats.throttled);
  page.gauge(
    'provider_throttled',
    '1: the provider is throttled or probing; 0: it is free.',
    'provider',
    throttled(stats),
  );
  page.counter('provider_failures_total', 'Failed requests to models, by provider.', 'provider', failures(stats));
  if (store !== null) {
    storeFigures(page, store);
  }
  if (replies !== null) {
    replyFigures(page, replies, Date.now());
  }
  for (const [name, value] of Object.entries(stats.counters)) {
    page.counter(`${metricName(name)}_total`, `Count of ${name} since the start.`, null, { '': value });
  }
  for (const [name, view] of Object.entries(stats.histograms)) {
    page.histogram(metricName(name), view);
  }
}

function storeFigures(page: Page, store: StoreStats): void {
  page.gauge('store_tasks', 'Tasks in the store, by status.', 'status', store.tasks);
  page.gauge('store_sessions', 'Sessions in the store.', null, { '': store.sessions });
  page.gauge('store_events', 'Events in the store.', null, { '': store.events });
  page.gauge('store_bytes', 'Size of the store.', null, { '': store.bytes });
  page.counter('late_events_dropped_total', 'Events that came after the end of their task.', null, {
    '': store.lateDropped,
  });
}

function replyFigures(page: Page, { rows, oldestDue }: OutboxFigures, now: number): void {
  page.gauge('replies', 'Messages that go out, by state.', 'state', rows);
  page.gauge('replies_oldest_due_seconds', 'Age of the oldest message that waits to be sent.', null, {
    '': oldestDue === null ? 0 : Math.max(0, now - oldestDue) / 1000,
  });
}

/** Of a store on a server, also what the last look at it found. */
function storageFigures(page: Page, { problem, health }: Storage): void {
  page.gauge('store_up', '1: the store can be written; 0: it cannot.', null, { '': problem === null ? 1 : 0 });
  if (health !== null) {
    page.gauge('store_probe_seconds', 'Time of the last look at the database.', null, { '': health.latencyMs / 1000 });
    page.gauge('store_feed_lag_seconds', 'Events that are older are in the feed of all sessions.', null, {
      '': health.feedLagMs / 1000,
    });
  }
}

const bySource = ({ openTasks }: Pick<RuntimeStats, 'openTasks'>): { readonly [source: string]: number } =>
  Object.fromEntries(openTasks.sources.map(({ source, open }) => [source, open]));

const throttled = ({ providers }: Pick<RuntimeStats, 'providers'>): { readonly [name: string]: number } =>
  Object.fromEntries(providers.map(({ name, state }) => [name, state === 'free' ? 0 : 1]));

const failures = ({ providers }: Pick<RuntimeStats, 'providers'>): { readonly [name: string]: number } =>
  Object.fromEntries(providers.map((provider) => [provider.name, provider.failures]));

function serverFigures(page: Page, figures: ServerFigures): void {
  if (figures.storage !== null) {
    storageFigures(page, figures.storage);
  }
  page.requests(figures.requests);
  page.gauge('http_connections', 'Open connections.', null, { '': figures.connections });
  page.counter('http_connections_refused_total', 'Connections past the limit.', null, {
    '': figures.connectionsRefused,
  });
  page.counter('http_connections_cut_total', 'Connections without a token that made room for others.', null, {
    '': figures.connectionsCut,
  });
  page.gauge('http_body_bytes', 'Bytes of request bodies in memory, by what the caller has shown.', 'caller', {
    ...figures.bodyBytes,
  });
  page.gauge('http_bodies_waiting', 'Request bodies that wait for memory, by what the caller has shown.', 'caller', {
    ...figures.bodiesWaiting,
  });
  page.counter('http_bodies_cut_total', 'Request bodies given up for others, by what the caller has shown.', 'caller', {
    ...figures.bodiesCut,
  });
  page.counter('log_lines_dropped_total', 'Lines of the log that were dropped because it was not read.', null, {
    '': figures.logDropped,
  });
  page.gauge('http_streams', 'Open event streams.', null, { '': figures.streams });
  page.gauge('http_long_polls', 'Waiting long polls.', null, { '': figures.longPolls });
  page.counter('http_stream_events_total', 'Events written to streams.', null, { '': figures.streamEvents });
  page.counter('http_stream_bytes_total', 'Bytes written to streams.', null, { '': figures.streamBytes });
  page.counter('http_streams_ended_total', 'Streams ended, by reason.', 'reason', {
    slow_reader: 0,
    ...Object.fromEntries(figures.streamsEnded),
  });
}

const metricName = (name: string): string =>
  name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`).replace(/[^a-z0-9_]/g, '_');

/** Figures of one scrape: they are counted elsewhere, so each is created with its present value. */
class Page {
  readonly #prometheus: Prometheus;
  readonly #registry;
  readonly #histograms: string[] = [];

  constructor(prometheus: Prometheus) {
    this.#prometheus = prometheus;
    this.#registry = new prometheus.Registry();
  }

  gauge(name: string, help: string, label: string | null, values: { readonly [label: string]: number }): void {
    const gauge = new this.#prometheus.Gauge({ ...this.#named(name, help), labelNames: label === null ? [] : [label] });
    for (const [value, count] of Object.entries(values)) {
      gauge.set(label === null ? {} : { [label]: value }, count);
    }
  }

  counter(name: string, help: string, label: string | null, values: { readonly [label: string]: number }): void {
    const counter = new this.#prometheus.Counter({
      ...this.#named(name, help),
      labelNames: label === null ? [] : [label],
    });
    for (const [value, count] of Object.entries(values)) {
      counter.inc(label === null ? {} : { [label]: value }, count);
    }
  }

  requests(requests: ReadonlyMap<string, number>): void {
    const labelNames = ['operation', 'status'] as const;
    const counter = new this.#prometheus.Counter({
      ...this.#named('http_requests_total', 'Requests answered.'),
      labelNames,
    });
    for (const [key, count] of requests) {
      const [operation = '', status = ''] = key.split(' ');
      counter.inc({ operation, status }, count);
    }
  }

  /** Written here: the library has no way in for buckets that were filled elsewhere. */
  histogram(name: string, view: HistogramView): void {
    const full = `signalbox_${name}`;
    const buckets = view.bounds.map((bound, at) => `${full}_bucket{le="${bound}"} ${view.counts[at] ?? 0}`);
    this.#histograms.push(
      `# HELP ${full} ${view.help.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')}`,
      `# TYPE ${full} histogram`,
      ...buckets,
      `${full}_bucket{le="+Inf"} ${view.count}`,
      `${full}_sum ${view.sum}`,
      `${full}_count ${view.count}`,
      '',
    );
  }

  async text(): Promise<string> {
    return `${await this.#registry.metrics()}\n${this.#histograms.join('\n')}\n`;
  }

  #named(name: string, help: string) {
    return { name: `signalbox_${name}`, help, registers: [this.#registry] };
  }
}
