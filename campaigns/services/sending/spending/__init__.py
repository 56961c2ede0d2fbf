"""What messages may use up together: counted before they go out, and set right afterwards."""
