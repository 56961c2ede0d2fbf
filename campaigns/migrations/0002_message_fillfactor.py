from django.db import migrations


def leave_room_in_pages(apps, schema_editor):
    # Every message is updated twice soon after it is inserted; room in its page lets PostgreSQL do
    # that without touching any index.
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("ALTER TABLE campaigns_message SET (fillfactor = 50)")


class Migration(migrations.Migration):
    dependencies = [("campaigns", "0001_initial")]

    operations = [migrations.RunPython(leave_room_in_pages, migrations.RunPython.noop)]
