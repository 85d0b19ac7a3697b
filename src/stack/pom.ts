/** What Maven is asked with for jars and all that they need. */
export interface Artifact {
  group: string;
  artifact: string;
  version: string;
  /** Without what it needs. */
  alone?: boolean;
}

const NOTHING_ELSE =
  '<exclusions><exclusion><groupId>*</groupId><artifactId>*</artifactId></exclusion></exclusions>';

/**
 * A pom with these dependencies, for `mvn dependency:copy-dependencies`.
 *
 * @param name its own artifact id
 */
export function pomOf(name: string, artifacts: readonly Artifact[]): string {
  const dependencies = artifacts.map(
    ({ group, artifact, version, alone = false }) =>
      `    <dependency><groupId>${group}</groupId><artifactId>${artifact}</artifactId><version>${version}</version>${alone ? NOTHING_ELSE : ''}</dependency>`,
  );
  return `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>hippo</groupId>
  <artifactId>${name}</artifactId>
  <version>1</version>
  <packaging>pom</packaging>
  <dependencies>
${dependencies.join('\n')}
  </dependencies>
  <build>
    <pluginManagement>
      <plugins>
        <plugin>
          <groupId>org.apache.maven.plugins</groupId>
          <artifactId>maven-dependency-plugin</artifactId>
          <version>2.8</version>
        </plugin>
      </plugins>
    </pluginManagement>
  </build>
</project>
`;
}
