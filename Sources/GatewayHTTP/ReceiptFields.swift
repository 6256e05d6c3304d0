internal import Documents
internal import Governance
internal import GovernanceTypes
internal import HTTPTypes
internal import Hummingbird

// Where the settlement of an answer stands in the log, in the forms in which an answer carries it.

extension Response {
  /// Headers of an answer whose settlement was on disk before its head was sent; a stream has them in its last chunk instead.
  mutating func addReceipt(_ receipt: EntryReceipt?) {
    guard let receipt else { return }
    self.add(.xWeighbridgeSequence, String(receipt.sequence))
    self.add(.xWeighbridgeLeaf, receipt.leaf.hexadecimal)
    if let sequence = receipt.customerSequence { self.add(.xWeighbridgeCustomerSequence, String(sequence)) }
  }
}

/// Members of the `weighbridge` object of an answer.
func receiptMembers(_ receipt: EntryReceipt?) -> [JSONMember] {
  guard let receipt else { return [] }
  var members = [JSONMember("seq", .integer(receipt.sequence)), JSONMember("leaf_hash", .string(receipt.leaf.hexadecimal))]
  if let sequence = receipt.customerSequence { members.append(JSONMember("customer_seq", .integer(sequence))) }
  return members
}
