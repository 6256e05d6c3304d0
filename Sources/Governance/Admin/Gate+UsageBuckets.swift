public import GovernanceTypes

extension Gate {
  /// Settled usage by spans of time, in the order of spans and groups.
  public func usageBuckets(_ query: UsageBucketQuery) async throws(Refusal) -> [UsageBucketRow] {
    do { return try await self.billingArchive().usageBuckets(query) } catch {
      throw Refusal(.storeUnavailable, "The ledger cannot be read.", context: "\(error)")
    }
  }

  /// The gate's own time, which never runs backwards.
  public var time: Timestamp { self.now() }
}
