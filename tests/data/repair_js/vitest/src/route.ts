// Where a request goes, by its path.

export interface Target {
  name: string;
  host?: { address: string; port: number };
}

export function addressOf(target: Target): string | undefined {
  return target.host.address;
}

export function port(target: Target, fallback: number): number {
  return target.host?.port ?? fallback;
}

export const label = (target: Target): string => `${target.name}:${port(target, 80)}`;
