/** Before all tests with containers: the image is made once, as compose makes it, of the files that engine.sh has gathered. */
import { compose } from '../support/docker.ts'

export async function setup(): Promise<void> {
  await compose('rhizome', ['build'])
}
