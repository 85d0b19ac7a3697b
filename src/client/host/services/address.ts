/** @param place a path on the service's own port, or a URL */
export function urlOf(place: string, port: number | null): string {
  return place.startsWith('/') ? `http://127.0.0.1:${port ?? ''}${place}` : place;
}
