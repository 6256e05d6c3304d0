internal import AcceptableUse
internal import Documents
internal import GovernanceTypes
internal import LicenseTerms

/// How the encoder was asked about the texts of one prompt.
struct EncodingRecord: Sendable {
  var digest: Digest
  /// How many texts it read.
  var texts = 0
  /// Why it did not read one that it should have.
  var failure: DetectorFailure?

  var json: JSON {
    [
      "sha256": .string(self.digest.hexadecimal), "texts": .integer(self.texts),
      "outcome": .string(self.failure?.rawValue ?? "read"),
    ]
  }
}

extension Gate {
  /// Most texts of one prompt that the encoder is asked about: the last ones, which are new.
  static let mostEncodedTexts = 4

  /// Has the encoder read the texts of a prompt of which the linear tier is in doubt, and takes what it says into the assessments.
  ///
  /// - Parameter texts: In the order of the assessments.
  /// - Throws: ``Refusal`` where it gave no reading and the doubt is about a use that the policy calls critical.
  func readAgain(
    _ dossier: inout Dossier, _ conduct: EffectiveConduct, _ texts: [PromptText], _ assessments: inout [Assessment]
  ) async throws(Refusal) {
    guard let encoder = self.policy.encoder, !assessments.contains(where: \.flagged) else { return }
    let doubtful = zip(texts, assessments).enumerated().filter { conduct.policy.isAmbiguous($0.element.1) }.map(\.offset)
    guard !doubtful.isEmpty else { return }
    var record = EncodingRecord(digest: encoder.terms.digest)
    for index in doubtful.suffix(Self.mostEncodedTexts) {
      let direction = texts[index].isSystem ? TextDirection.system : .prompt
      do throws(DetectorFailure) {
        let reading = try await encoder.reading(of: texts[index].text)
        assessments[index] = conduct.policy.adding(reading, to: assessments[index], direction: direction)
        record.texts += 1
      } catch {
        record.failure = error
        dossier.encoding = record
        // The others would wait for the same trouble.
        return try await self.goOn(dossier, conduct, without: error, for: assessments[index], direction)
      }
    }
    dossier.encoding = record
  }

  private func goOn(
    _ dossier: Dossier, _ conduct: EffectiveConduct, without failure: DetectorFailure, for assessment: Assessment,
    _ direction: TextDirection
  ) async throws(Refusal) {
    let verdict = conduct.policy.verdict(
      onEncoder: failure, for: assessment, critical: self.criticalUses, direction: direction)
    guard verdict.action == .refuse else { return }
    throw await self.refuse(
      dossier, self.refusal(unchecked: verdict), verdict: "deny", moment: .request, assessment: assessment)
  }
}
