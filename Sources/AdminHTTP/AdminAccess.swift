internal import Governance
internal import HTTPTypes

/// What the holder of an admin key may do: one table, by role and path.
///
/// Everyone may read everything but the admin keys; secrets are not among what can be read. Who may write what follows from whose work
/// it is: money is billing's, what is stated about licenses is counsel's, and who may do so is the owner's alone.
enum AdminAccess {
  /// Resources that each role may write besides reading, by the first part of their path below `/admin/v1/`.
  private static let writes: [AdminRole: Set<String>] = [
    .billing: [
      "customers", "projects", "keys", "credits", "limits", "prices", "invoices", "exports", "usage", "adjustments", "deliveries",
    ],
    .counsel: [
      "licenses", "attestations", "grants", "terminations", "policies", "terms", "exports", "audience", "affiliations",
      "exemptions", "appeals", "incidents",
    ],
    .auditor: ["exports"],
  ]

  static func permits(_ role: AdminRole, _ method: HTTPRequest.Method, path: String) -> Bool {
    guard role != .owner else { return true }
    let resource = path.split(separator: "/").dropFirst(2).first.map { String($0) } ?? ""
    guard resource != "admin_keys" else { return false }
    return method == .get || method == .head || self.writes[role, default: []].contains(resource)
  }
}
