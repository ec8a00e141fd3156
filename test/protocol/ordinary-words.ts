/** Words of public names that need no definition: readers know them. A verb stands for its forms. */
export const ordinaryWords: readonly string[] = `
address after age ahead alias all already amount approve arg as at attach auth before began body bot bound builtin by byte cache call cap cause change
check close column command comment config context count crash currency detail duplicate end entry env error exit explanation export fact
failure file finish first follow force from function hint host how id if ignore import info init input instance issue item keep kind left length level like
line list local listen live log login made make match member memory message method metric module move name network new next nice none note of ok omit open page path pending per
phase port prefix problem quiet quote reach ready recover resolve restart review revoke row secret send sent settings since slow stack
stream submit summary switch take thread to trace type unexpected unified unless until url version view warn watch
what where why workflow writable

connection cpu debug dry durable fatal healthz js json lag latency migrate native openapi pid poll readyz rss terminal tid trigger

applied collaborator contributor mannequin
`
  .trim()
  .split(/\s+/);
