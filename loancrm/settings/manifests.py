"""What every app brings along, put together; lower apps first."""

import analytics.manifest
import campaigns.manifest
import customers.manifest
import loancrm.manifest
from loancrm.kernel.manifests import collect

COLLECTED = collect(
    (
        loancrm.manifest.MANIFEST,
        customers.manifest.MANIFEST,
        campaigns.manifest.MANIFEST,
        analytics.manifest.MANIFEST,
    )
)
