/**
 * What this node and the others know of the providers of models is one.
 *
 * Owned by one cluster. A change here is stored under the version that was seen, and what others have stored is taken.
 *  cluster-throttles/1 A change counts here at once, and for others when it is stored. Behind one that another node has stored in the meantime,
 *                      the stricter of the two is stored.
 *  cluster-throttles/2 The trial behind a throttle is made by the node that stores it first.
 *  cluster-throttles/3 Without the store each node does what it knows.
 */
import type { NodeId, Nodes } from '../../store/nodes.ts';
import type { Context } from '../options.ts';
import type { ProviderNodes, Providers, SharedThrottle } from '../throttle/providers.ts';

interface ThrottlesParts {
  readonly context: Context;
  readonly nodes: Nodes;
  readonly id: () => NodeId;
  readonly isAlone: () => boolean;
  /** Interactive work of this node waits for the provider. */
  readonly waits: (provider: string) => boolean;
}

export class SharedThrottles implements ProviderNodes {
  readonly #parts: ThrottlesParts;
  /** Versions. */
  readonly #seen = new Map<string, number>();
  readonly #untold = new Set<string>();
  readonly #trials = new Set<string>();
  #providers: Providers | null = null;
  #running = false;
  #again = false;

  constructor(parts: ThrottlesParts) {
    this.#parts = parts;
  }

  get isAlone(): boolean {
    return this.#parts.isAlone();
  }

  /** Resolves when what others know is known here. */
  async begin(providers: Providers): Promise<void> {
    this.#providers = providers;
    await this.#run();
  }

  changed(name: string): void {
    this.#untold.add(name);
    this.#soon();
  }

  trial(name: string): void {
    this.#trials.add(name);
    this.#soon();
  }

  /** Others may have stored something. */
  look(): void {
    this.#soon();
  }

  /** What called is done with its change by then. */
  #soon(): void {
    if (this.#running) {
      this.#again = true;
    } else if (this.#providers !== null) {
      this.#running = true;
      this.#parts.context.clock.soon(() => void this.#run());
    }
  }

  async #run(): Promise<void> {
    this.#running = true;
    try {
      do {
        this.#again = false;
        await this.#read();
        for (const name of this.#untold) {
          await this.#tell(name);
        }
        for (const name of this.#trials) {
          await this.#try(name);
        }
      } while (this.#again);
    } catch (error) {
      // The next look tells it.
      this.#parts.context.onError(error, 'throttles');
      for (const name of this.#trials) {
        this.#providers?.probe(name, false);
      }
      this.#trials.clear();
    } finally {
      this.#running = false;
    }
  }

  async #read(): Promise<void> {
    const rows = await this.#parts.nodes.throttles();
    // A failover that lost its last moments has older versions, or none.
    const gone = new Set(this.#seen.keys());
    for (const { provider, version, state, ageMs } of rows) {
      gone.delete(provider);
      if (version !== this.#seen.get(provider)) {
        this.#seen.set(provider, version);
        const keeps = this.#providers?.take(provider, state as SharedThrottle, ageMs, this.#untold.has(provider));
        if (keeps !== true) {
          this.#untold.delete(provider);
        }
      }
    }
    gone.forEach((provider) => this.#seen.delete(provider));
  }

  async #tell(name: string): Promise<void> {
    const shared = this.#providers?.shared(name);
    this.#untold.delete(name);
    if (shared === undefined) {
      return;
    }
    try {
      if (await this.#put(name, shared)) {
        this.#providers?.told(name, shared);
        return;
      }
    } catch (error) {
      this.#untold.add(name);
      throw error;
    }
    this.#untold.add(name);
    this.#again = true;
  }

  async #try(name: string): Promise<void> {
    const { id, waits, isAlone } = this.#parts;
    this.#trials.delete(name);
    const providers = this.#providers;
    if (providers?.asks(name) !== true) {
      return;
    }
    if (!isAlone() && waits(name)) {
      if (await this.#put(name, providers.trialOf(name, id()))) {
        providers.probe(name, true);
        return;
      }
      await this.#read();
    }
    providers.probe(name, false);
  }

  async #put(name: string, shared: SharedThrottle): Promise<boolean> {
    const version = await this.#parts.nodes.putThrottle(name, this.#seen.get(name) ?? 0, shared);
    if (version !== null) {
      this.#seen.set(name, version);
    }
    return version !== null;
  }
}
